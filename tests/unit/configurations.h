/* configurations.h - what tests of the configuration share: include it after cmocka.h. */
#ifndef CONFIGURATIONS_H
#define CONFIGURATIONS_H

#include <stdlib.h>
#include <string.h>

#include "reluopt/config.h"

static inline Config defaults(void)
{
    Config config;
    reluopt_config_default(&config);
    return config;
}

static inline int parse(Config *config, const char *yaml, Error *error)
{
    *error = (Error){0};
    reluopt_config_default(config);
    return reluopt_config_parse(config, yaml, strlen(yaml), "run.yaml", error);
}

static inline Config parse_good(const char *yaml)
{
    Config config;
    Error error;
    if (parse(&config, yaml, &error) != RELUOPT_OK)
        fail_msg("%s\n%s", yaml, error.message);
    return config;
}

static inline void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static inline void assert_set(Config *config, const char *key, const char *value)
{
    Error error = {0};
    if (reluopt_config_set(config, key, value, &error) != RELUOPT_OK)
        fail_msg("%s", error.message);
}

static inline void assert_round_trip(const Config *config)
{
    for (int comments = 0; comments < 2; comments++) {
        Config back = defaults();
        Error error = {0};
        char *text = reluopt_config_text(config, comments, &error);
        assert_non_null(text);
        if (reluopt_config_parse(&back, text, strlen(text), "echo", &error) != RELUOPT_OK)
            fail_msg("%s\n%s", error.message, text);
        assert_memory_equal(&back, config, sizeof back);
        free(text);
    }
}

#endif
