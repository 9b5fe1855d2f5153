/* table.h - the option table, private to src/config. */
#ifndef RELUOPT_CONFIG_TABLE_H
#define RELUOPT_CONFIG_TABLE_H

#include <stddef.h>

#include "reluopt/config.h"

enum {
    OPTION_LIMIT = 64, /* room for the options */
    KEY_SIZE = 32,     /* room for any key of the table */
    SUBJECT_SIZE = 512 /* room for where a value was given */
};

typedef enum Type { TYPE_INTEGER, TYPE_REAL, TYPE_BOOL, TYPE_CHOICE, TYPE_TEXT, TYPE_WIDTHS } Type;

typedef struct Option {
    const char *key;
    Type type;
    size_t offset, size;        /* of the member of Config */
    int64_t min, max;           /* numbers and widths, inclusive */
    bool above;                 /* real: min itself is excluded */
    bool automatic;             /* number: "auto" stands for RELUOPT_AUTO */
    const char *const *choices; /* choice: spelled as the enum counts, NULL at the end */
    const char *value;          /* default, as it would be typed */
    const char *methods;        /* those that use it, " a b " ; NULL: all */
    bool later;                 /* may change when a run is resumed */
    const char *meaning;        /* one line for the help */
} Option;

extern const Option option_table[];
extern const size_t option_count;

/* The option called `key`.  NULL after RELUOPT_USAGE that begins with `subject` (where the key was given) and
 * ends with the closest key, or with the members when `key` is a group. */
const Option *option_find(const char *key, const char *subject, Error *error);

/* True when `key` is what comes before the dot in some key of the table. */
bool option_is_group(const char *key);

/* True when the option's key begins with "GROUP.". */
bool option_in_group(const Option *option, const char *group);

/* RELUOPT_USAGE when the grid is none, not one of `size` ranks, or one that other settings do not allow. */
int reluopt_config_check_grid(const Config *config, int size, Error *error);

/* Set the option's member of `config` from text; it is unchanged after RELUOPT_USAGE, which begins with
 * `subject` and says what is allowed, and the default. */
int option_set(const Option *option, Config *config, const char *value, const char *subject, Error *error);

/* What the option allows, and its default: "an integer from 1 to 9 (default 5)". */
void option_allowed(const Option *option, char text[RELUOPT_ALLOWED]);

/* True when the member of both configurations is the same. */
bool option_equal(const Option *option, const Config *a, const Config *b);

/* The integer member of an option (int or int64_t). */
int64_t option_integer(const Option *option, const Config *config);

#endif
