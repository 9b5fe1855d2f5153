/* phases.c - where the time of a run went, read back from its summary.  JSON is YAML. */
#include "reluopt/phases.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static const char *text_of(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

/* The value of a mapping's key; NULL when there is none. */
static yaml_node_t *member(yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++)
        if (strcmp(text_of(yaml_document_get_node(document, p->key)), key) == 0)
            return yaml_document_get_node(document, p->value);
    return NULL;
}

/* NaN for what is no number. */
static double number(yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    const char *text = text_of(member(document, node, key));
    char *end;
    double value = strtod(text, &end);
    return end > text && *end == '\0' ? value : NAN;
}

/* The members of "time" that have a mean are phases. */
static void take(Phases *phases, yaml_document_t *document, const yaml_node_t *time)
{
    for (yaml_node_pair_t *p = time->data.mapping.pairs.start; p < time->data.mapping.pairs.top; p++) {
        const yaml_node_t *value = yaml_document_get_node(document, p->value);
        PhaseTime phase = {.least = number(document, value, "least"),
                           .mean = number(document, value, "mean"),
                           .most = number(document, value, "most")};
        if (!(phase.least >= 0 && phase.mean >= 0 && phase.most >= 0) || phases->count == RELUOPT_MOST_PHASES)
            continue;
        snprintf(phase.name, sizeof phase.name, "%s", text_of(yaml_document_get_node(document, p->key)));
        phases->phase[phases->count++] = phase;
        phases->total += phase.mean;
    }
}

static int parse(Phases *phases, FILE *file, const char *path, Error *error)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return reluopt_fail(error, RELUOPT_MEMORY, "out of memory for %s", path);
    yaml_parser_set_input_file(&parser, file);
    if (yaml_parser_load(&parser, &document)) {
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        const yaml_node_t *time = member(&document, root, "time");
        if (!root || root->type != YAML_MAPPING_NODE)
            reluopt_fail(error, RELUOPT_STORAGE, "%s: not the summary of a run", path);
        if (time && time->type == YAML_MAPPING_NODE)
            take(phases, &document, time);
        yaml_document_delete(&document);
    } else {
        reluopt_fail(error, RELUOPT_STORAGE, "%s:%zu: no JSON: %s", path, parser.problem_mark.line + 1,
                     parser.problem ? parser.problem : "out of memory");
    }
    yaml_parser_delete(&parser);
    return error->code;
}

int reluopt_phases_read(Phases *phases, const char *path, Error *error)
{
    *phases = (Phases){0};
    FILE *file = fopen(path, "r");
    if (!file && errno == ENOENT)
        return RELUOPT_OK;
    if (!file)
        return reluopt_fail(error, RELUOPT_STORAGE, "cannot read %s: %s", path, strerror(errno));
    parse(phases, file, path, error);
    fclose(file);
    return error->code;
}

const PhaseTime *reluopt_phases_find(const Phases *phases, const char *name)
{
    for (size_t i = 0; i < phases->count; i++)
        if (strcmp(phases->phase[i].name, name) == 0)
            return &phases->phase[i];
    return NULL;
}
