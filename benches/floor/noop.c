// The least that a plugin can be: reads its configuration, answers with an empty result, or with its versions.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    static const char result[] = "{\"cniVersion\":\"1.0.0\"}\n";
    static const char versions[] = "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"1.0.0\",\"1.1.0\"]}\n";
    const char *command = getenv("CNI_COMMAND");
    const char *answer = command && !strcmp(command, "VERSION") ? versions : result;
    char buffer[4096];
    while (read(0, buffer, sizeof buffer) > 0) {
    }
    return write(1, answer, strlen(answer)) < 0;
}
