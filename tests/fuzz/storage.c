/* storage.c - targets: checkpoints and curves.
 *
 * Whoever means harm gives his file the right checksums.  So here HDF5 takes checksums for right: its two
 * functions that compute them are replaced by ones that find what is stored.  (Those of heap blocks are
 * computed elsewhere.) */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"
#include "reluopt/checkpoint.h"
#include "reluopt/curves.h"
#include "reluopt/kind.h"
#include "reluopt/model.h"

int H5F_get_checksums(const uint8_t *bytes, size_t size, uint32_t *stored, uint32_t *computed);
uint32_t H5_checksum_fletcher32(const void *bytes, size_t size);

/* Of metadata, which end with theirs. */
int H5F_get_checksums(const uint8_t *bytes, size_t size, uint32_t *stored, uint32_t *computed)
{
    (void)bytes, (void)size;
    if (stored)
        *stored = 0;
    if (computed)
        *computed = 0;
    return 0;
}

/* Of data, behind which it is stored. */
uint32_t H5_checksum_fletcher32(const void *bytes, size_t size)
{
    const uint8_t *stored = (const uint8_t *)bytes + size;
    return stored[0] | (uint32_t)stored[1] << 8 | (uint32_t)stored[2] << 16 | (uint32_t)stored[3] << 24;
}

static void expect_failure(const Error *error)
{
    fuzz_expect_failure(error, error->code, RELUOPT_STORAGE);
}

/* As the program opens a file for evaluation, and predicts. */
static void use_model(const char *path)
{
    char message[RELUOPT_MODEL_MESSAGE] = "";
    ReluoptModel *model;
    int code = reluopt_model_load(&model, path, message);
    fuzz_expect(code ? !model && *message : model != NULL);
    fuzz_expect(code != RELUOPT_BUG && code != RELUOPT_MEMORY);
    if (!model)
        return;
    size_t classes = reluopt_model_classes(model);
    float *x = calloc(reluopt_model_features(model), sizeof *x),
          *probability = calloc(classes, sizeof *probability);
    if (reluopt_model_predict(model, x, 1, probability, message) == RELUOPT_OK)
        for (size_t k = 0; k < classes; k++)
            fuzz_expect(isfinite(probability[k]));
    free(x);
    free(probability);
    reluopt_model_free(model);
}

void fuzz_checkpoint(const uint8_t *bytes, size_t size)
{
    Error error = {0};
    Comm comm = reluopt_comm_alone();
    Array *arrays = NULL;
    size_t count, verified;
    FileKind kind;
    const char *path = fuzz_file("checkpoint.h5", bytes, size);
    if (reluopt_file_kind(path, &kind, &error))
        expect_failure(&error);
    error = (Error){0};
    if (reluopt_checkpoint_list(path, &arrays, &count, &error))
        expect_failure(&error);
    free(arrays);
    error = (Error){0};
    if (reluopt_checkpoint_verify(&comm, path, &verified, &error))
        expect_failure(&error);
    use_model(path);
}

void fuzz_curves(const uint8_t *bytes, size_t size)
{
    Error error = {0};
    Curves curves;
    double sum = 0;
    if (reluopt_curves_read(&curves, fuzz_file("curves.h5", bytes, size), &error)) {
        expect_failure(&error);
        fuzz_expect(!curves.points && !curves.values);
        return;
    }
    for (size_t k = 0; k < curves.count; k++) {
        CurvePoint point = reluopt_curves_point(&curves, k);
        for (size_t i = 0; i < curves.layers; i++)
            sum += point.rate[i] + point.online_bound[i] + point.active[i] +
                   (i > 0 ? point.inverse_rate[i - 1] : 0);
    }
    fuzz_expect(curves.count > 0 && (isnan(sum) || !isnan(sum)));
    reluopt_curves_free(&curves);
}
