/* paths.c - the paths of the data, valid in any current folder. */
#include <string.h>
#include <unistd.h>

#include "reluopt/config.h"

/* text = the paths, which `separator` separates, the relative ones after "FOLDER/"; false when there is no
 * room. */
static bool anchor(const char *paths, const char *separator, const char *folder, char text[RELUOPT_TEXT])
{
    size_t used = 0;
    text[0] = '\0';
    while (*paths != '\0') {
        size_t length = strcspn(paths, separator);
        bool relative = length > 0 && paths[0] != '/', last = paths[length] == '\0';
        used += (size_t)snprintf(text + used, RELUOPT_TEXT - used, "%s%s%.*s%s", relative ? folder : "",
                                 relative ? "/" : "", (int)length, paths, last ? "" : separator);
        if (used >= RELUOPT_TEXT)
            return false;
        paths += length + !last;
    }
    return true;
}

static void make_absolute(Config *config, const char *key, const char *paths, const char *separator)
{
    char folder[RELUOPT_TEXT], text[RELUOPT_TEXT];
    Error refused = {0};
    if (getcwd(folder, sizeof folder) && !strpbrk(folder, separator) && anchor(paths, separator, folder, text))
        reluopt_config_set(config, key, text, &refused);
}

void reluopt_config_absolute(Config *config)
{
    make_absolute(config, "data.dir", config->data.dir, "");
    make_absolute(config, "data.train", config->data.train, ",");
    make_absolute(config, "data.test", config->data.test, ",");
}
