// The least that a plugin can be: reads its configuration, answers with an empty result.
#include <unistd.h>

int main(void) {
    static const char result[] = "{\"cniVersion\":\"1.0.0\"}\n";
    char buffer[4096];
    while (read(0, buffer, sizeof buffer) > 0) {
    }
    return write(1, result, sizeof result - 1) < 0;
}
