// peak PROGRAM [ARGUMENT...]: the most memory that a program had at any time, in KiB. Its own is far below what it measures:
// the system counts that in, since the program starts as a copy of it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct rusage usage;
    int status;
    pid_t pid = argc > 1 ? fork() : -1;

    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), 1);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
        return 1;
    printf("%ld\n", usage.ru_maxrss);
    return 0;
}
