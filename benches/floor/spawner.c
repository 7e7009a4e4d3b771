// spawner PROGRAM TEXT: the least that a tool which runs one plugin can do. Starts the program, feeds it the text, prints
// what it answers, and waits for its end. Nothing is bounded, checked, locked or recorded.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    int in[2], out[2], status;
    char answer[65536], *arguments[] = {argv[1], NULL};
    size_t length = 0;
    ssize_t got;
    pid_t pid;
    posix_spawn_file_actions_t actions;

    if (argc != 3 || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || posix_spawn_file_actions_init(&actions) ||
        posix_spawn_file_actions_adddup2(&actions, in[0], 0) || posix_spawn_file_actions_adddup2(&actions, out[1], 1) ||
        posix_spawn(&pid, argv[1], &actions, NULL, arguments, environ))
        return 1;
    close(in[0]);
    close(out[1]);
    if (write(in[1], argv[2], strlen(argv[2])) < 0)
        return 1;
    close(in[1]);
    while ((got = read(out[0], answer + length, sizeof answer - length)) > 0)
        length += got;
    if (waitpid(pid, &status, 0) != pid || status || write(1, answer, length) < 0)
        return 1;
    return 0;
}
