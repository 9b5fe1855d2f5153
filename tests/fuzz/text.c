/* text.c - targets: configurations and schemas.
 *
 * What could be read, written as text and read again, is the same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "reluopt/config.h"
#include "reluopt/samples.h"

/* Settings that were read are as good as any, so the checks that follow must hold for them. */
static void use(const Config *read)
{
    Error error = {0};
    Config config = *read;
    reluopt_config_resolve(&config);
    if (reluopt_config_check(&config, 2, &error))
        fuzz_expect_failure(&error, error.code, RELUOPT_USAGE);
}

void fuzz_yaml(const uint8_t *bytes, size_t size)
{
    Error error = {0};
    Config config, again;
    reluopt_config_default(&config);
    int code = reluopt_config_parse(&config, (const char *)bytes, size, "config.yaml", &error);
    if (code) {
        fuzz_expect_failure(&error, code, RELUOPT_USAGE);
        return;
    }
    use(&config);
    char *text = reluopt_config_text(&config, true, &error);
    reluopt_config_default(&again);
    fuzz_expect(text && reluopt_config_parse(&again, text, strlen(text), "echo", &error) == RELUOPT_OK);
    fuzz_expect(memcmp(&config, &again, sizeof config) == 0);
    free(text);
}

void fuzz_schema(const uint8_t *bytes, size_t size)
{
    Error error = {0};
    Schema schema, again;
    char *text = calloc(size + 1, 1);
    memcpy(text, bytes, size);
    int code = reluopt_schema_from_text(text, &schema, &error);
    free(text);
    if (code) {
        fuzz_expect_failure(&error, code, RELUOPT_DATA);
        fuzz_expect(schema.classes == 0);
        return;
    }
    fuzz_expect(schema.classes > 0 && schema.features > 0);
    text = reluopt_schema_to_text(&schema, &error);
    fuzz_expect(reluopt_schema_copy(&again, &schema, &error) == RELUOPT_OK);
    char *same = reluopt_schema_to_text(&again, &error);
    fuzz_expect(text && same && strcmp(text, same) == 0);
    free(text);
    free(same);
    reluopt_schema_free(&again);
    reluopt_schema_free(&schema);
}
