/* comm.c - all of MPI: who owns which neurons and samples, gather, minimum, sums, agreement on errors. */
#include "reluopt/comm.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"
#include "reluopt/dense.h"
#include "reluopt/memory.h"

/* With more ranks than cores, waiting ranks must give way, or one reduction takes milliseconds.  Open MPI does
 * so by itself only when mpirun knows of the oversubscription (srun never tells). */
static void yield_when_crowded(void)
{
    const char *local = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    if (!local)
        local = getenv("SLURM_STEP_TASKS_PER_NODE"); /* "4" or "4(x2)": the first node's count */
    cpu_set_t cores;
    if (local && sched_getaffinity(0, sizeof cores, &cores) == 0 && strtol(local, NULL, 10) > CPU_COUNT(&cores))
        setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
}

/* Processors may differ between nodes; all ranks must draw the same borders. */
static void agree_on_block(Comm *comm)
{
    uint64_t block = reluopt_dense_block();
    MPI_Allreduce(MPI_IN_PLACE, &block, 1, MPI_UINT64_T, MPI_MAX, comm->world);
    comm->block = block;
}

static void compare_kernels(Comm *comm)
{
    char first[64];
    snprintf(first, sizeof first, "%s", reluopt_dense_kernel());
    MPI_Bcast(first, sizeof first, MPI_CHAR, 0, comm->world);
    int alike = strcmp(first, reluopt_dense_kernel()) == 0;
    MPI_Allreduce(MPI_IN_PLACE, &alike, 1, MPI_INT, MPI_MIN, comm->world);
    comm->alike = alike;
}

void reluopt_comm_start(Comm *comm, int *argc, char ***argv)
{
    yield_when_crowded();
    MPI_Init(argc, argv);
    *comm = (Comm){.sent = MPI_REQUEST_NULL};
    MPI_Comm_dup(MPI_COMM_WORLD, &comm->world);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm->feed);
    MPI_Comm_rank(comm->world, &comm->rank);
    MPI_Comm_size(comm->world, &comm->size);
    reluopt_comm_grid(comm, 1);
    comm->counts = malloc(2 * sizeof *comm->counts * (size_t)comm->size);
    if (!comm->counts)
        reluopt_comm_abort(comm, "no memory for the table of shards");
    comm->offsets = comm->counts + comm->size;
    agree_on_block(comm);
    compare_kernels(comm);
}

Comm reluopt_comm_alone(void)
{
    return (Comm){.size = 1,
                  .data.size = 1,
                  .neurons.size = 1,
                  .block = reluopt_dense_block(),
                  .alike = true,
                  .world = MPI_COMM_NULL,
                  .feed = MPI_COMM_NULL,
                  .sent = MPI_REQUEST_NULL};
}

static Axis everyone(const Comm *comm)
{
    return (Axis){comm->world, comm->rank, comm->size};
}

static void free_axes(Comm *comm)
{
    if (comm->data.size > 1) {
        MPI_Comm_free(&comm->data.comm);
        MPI_Comm_free(&comm->neurons.comm);
        free(comm->shares);
    }
}

static Axis make_axis(const Comm *comm, int size, int index, int others)
{
    Axis axis = {.index = index, .size = size};
    MPI_Comm_split(comm->world, others, index, &axis.comm);
    return axis;
}

void reluopt_comm_grid(Comm *comm, int data)
{
    int neurons = comm->size / data, column = comm->rank % neurons, row = comm->rank / neurons;
    free_axes(comm);
    comm->data = (Axis){.comm = MPI_COMM_SELF, .size = 1};
    comm->neurons = everyone(comm);
    if (data > 1) {
        comm->data = make_axis(comm, data, row, column);
        comm->neurons = make_axis(comm, neurons, column, row);
        comm->shares = malloc(2 * sizeof *comm->shares * (size_t)data);
        if (!comm->shares)
            reluopt_comm_abort(comm, "no memory for the table of columns");
    }
}

void reluopt_comm_stop(Comm *comm)
{
    free(comm->counts);
    free_axes(comm);
    MPI_Comm_free(&comm->feed);
    MPI_Comm_free(&comm->world);
    MPI_Finalize();
}

/* The library says much more, after a comma or a line end. */
char *reluopt_comm_library(char *text, size_t room)
{
    char whole[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(whole, &length);
    snprintf(text, room, "%.*s", (int)strcspn(whole, ",\n"), whole);
    return text;
}

void reluopt_comm_abort(Comm *comm, const char *what)
{
    fprintf(stderr, "reluopt-mpi: internal error on rank %d: %s; please report it\n", comm->rank, what);
    MPI_Abort(MPI_COMM_WORLD, RELUOPT_BUG);
    abort();
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

Rows reluopt_comm_rows(const Comm *comm, size_t n, int index)
{
    size_t owners = (size_t)(comm->neurons.size - (comm->dedicated ? 1 : 0));
    if (comm->dedicated && index-- == 0)
        return (Rows){0, 0};
    size_t blocks = (n + comm->block - 1) / comm->block;
    size_t each = blocks / owners, extra = blocks % owners, r = (size_t)index;
    size_t first = smaller(n, (r * each + smaller(r, extra)) * comm->block);
    return (Rows){first, smaller(n - first, (each + (r < extra ? 1 : 0)) * comm->block)};
}

Rows reluopt_comm_own_rows(const Comm *comm, size_t n)
{
    return reluopt_comm_rows(comm, n, comm->neurons.index);
}

OwnColumns reluopt_comm_columns(const Comm *comm, size_t batch, int index)
{
    size_t i = (size_t)index, size = (size_t)comm->data.size, each = batch / size, extra = batch % size;
    return (OwnColumns){i * each + smaller(i, extra), each + (i < extra ? 1 : 0)};
}

OwnColumns reluopt_comm_own_columns(const Comm *comm, size_t batch)
{
    return reluopt_comm_columns(comm, batch, comm->data.index);
}

/* Fill comm->counts and comm->offsets with the rows of all indices, in units of `unit` elements. */
static void shard_table(const Comm *comm, size_t n, size_t unit)
{
    for (int r = 0; r < comm->neurons.size; r++) {
        Rows rows = reluopt_comm_rows(comm, n, r);
        comm->counts[r] = (int)(rows.count * unit);
        comm->offsets[r] = (int)(rows.first * unit);
    }
}

static void gather(const Comm *comm, void *x, size_t n, size_t columns, MPI_Datatype element)
{
    if (comm->neurons.size == 1)
        return;
    int size;
    MPI_Type_size(element, &size);
    size_t values = (n - reluopt_comm_own_rows(comm, n).count) * columns;
    Call call = meter_start(comm, TRAFFIC_GATHER, values * (size_t)size);
    MPI_Datatype row;
    MPI_Type_contiguous((int)columns, element, &row);
    MPI_Type_commit(&row);
    shard_table(comm, n, 1);
    MPI_Allgatherv(MPI_IN_PLACE, 0, row, x, comm->counts, comm->offsets, row, comm->neurons.comm);
    MPI_Type_free(&row);
    meter_stop(comm, call);
}

void reluopt_comm_gather_rows(const Comm *comm, float *x, size_t n, size_t columns)
{
    gather(comm, x, n, columns, MPI_FLOAT);
}

void reluopt_comm_gather_doubles(const Comm *comm, double *x, size_t n, size_t columns)
{
    gather(comm, x, n, columns, MPI_DOUBLE);
}

void reluopt_comm_sum_rows(const Comm *comm, const float *part, float *own, size_t n, size_t columns)
{
    if (comm->neurons.size == 1) {
        memcpy(own, part, n * columns * sizeof *own);
        return;
    }
    Call call = meter_start(comm, TRAFFIC_REDUCE, n * columns * sizeof *part);
    shard_table(comm, n, columns);
    MPI_Reduce_scatter(part, own, comm->counts, MPI_FLOAT, MPI_SUM, comm->neurons.comm);
    meter_stop(comm, call);
}

/* In parts that an int can count, but one call to the meter, whatever the count: other ranks' may differ. */
static void reduce(const Comm *comm, Axis ranks, void *x, size_t count, MPI_Datatype element, MPI_Op op)
{
    int size;
    if (ranks.size == 1)
        return;
    MPI_Type_size(element, &size);
    Call call = meter_start(comm, TRAFFIC_REDUCE, count * (size_t)size);
    char *p = x;
    do {
        size_t part = smaller(count, 1 << 30);
        MPI_Allreduce(MPI_IN_PLACE, p, (int)part, element, op, ranks.comm);
        p += part * (size_t)size;
        count -= part;
    } while (count > 0);
    meter_stop(comm, call);
}

void reluopt_comm_data_sum(const Comm *comm, float *x, size_t count)
{
    reduce(comm, comm->data, x, count, MPI_FLOAT, MPI_SUM);
}

void reluopt_comm_data_sum_doubles(const Comm *comm, double *x, size_t count)
{
    reduce(comm, comm->data, x, count, MPI_DOUBLE, MPI_SUM);
}

void reluopt_comm_data_max(const Comm *comm, float *x, size_t count)
{
    reduce(comm, comm->data, x, count, MPI_FLOAT, MPI_MAX);
}

void reluopt_comm_min(const Comm *comm, float *x, size_t count)
{
    reduce(comm, everyone(comm), x, count, MPI_FLOAT, MPI_MIN);
}

void reluopt_comm_max(const Comm *comm, int *x, size_t count)
{
    reduce(comm, everyone(comm), x, count, MPI_INT, MPI_MAX);
}

void reluopt_comm_largest(const Comm *comm, double *x, size_t count)
{
    reduce(comm, everyone(comm), x, count, MPI_DOUBLE, MPI_MAX);
}

void reluopt_comm_sum(const Comm *comm, double *x, size_t count)
{
    reduce(comm, everyone(comm), x, count, MPI_DOUBLE, MPI_SUM);
}

void reluopt_comm_share(const Comm *comm, void *bytes, size_t count)
{
    reluopt_comm_share_from(comm, 0, bytes, count);
}

void reluopt_comm_share_from(const Comm *comm, int from, void *bytes, size_t count)
{
    for (char *p = bytes; count > 0 && comm->size > 1;) {
        int part = count < INT_MAX ? (int)count : INT_MAX;
        Call call = meter_start(comm, TRAFFIC_SHARE, comm->rank == from ? 0 : (size_t)part);
        MPI_Bcast(p, part, MPI_BYTE, from, comm->world);
        meter_stop(comm, call);
        p += part;
        count -= (size_t)part;
    }
}

int reluopt_comm_share_text(const Comm *comm, char **text, Error *error)
{
    size_t size = comm->rank == 0 && *text ? strlen(*text) + 1 : 0;
    reluopt_comm_share(comm, &size, sizeof size);
    if (comm->rank != 0)
        *text = size ? reluopt_alloc(size, 1, error) : NULL;
    if (reluopt_comm_agree(comm, error))
        return error->code;
    reluopt_comm_share(comm, *text, size);
    return RELUOPT_OK;
}

/* Along the data, from rank 0 to the ranks beside it; MPI looks at the table until all have theirs. */
static void scatter(Comm *comm, float *x, size_t rows, size_t batch)
{
    int *counts = comm->shares, *offsets = counts + comm->data.size;
    for (int i = 0; i < comm->data.size; i++) {
        OwnColumns part = reluopt_comm_columns(comm, batch, i);
        counts[i] = (int)(part.count * rows);
        offsets[i] = (int)(part.first * rows);
    }
    MPI_Iscatterv(x, counts, offsets, MPI_FLOAT, comm->rank == 0 ? MPI_IN_PLACE : x, counts[comm->data.index],
                  MPI_FLOAT, 0, comm->data.comm, &comm->sent);
}

void reluopt_comm_feed_start(Comm *comm, float *x, size_t rows, size_t batch)
{
    size_t values = rows * reluopt_comm_own_columns(comm, batch).count;
    if (comm->size == 1 || (comm->data.size > 1 && comm->neurons.index > 0))
        return;
    reluopt_count_traffic(TRAFFIC_FEED, comm->rank == 0 ? 0 : values * sizeof *x);
    if (comm->data.size > 1)
        scatter(comm, x, rows, batch);
    else
        MPI_Ibcast(x, (int)values, MPI_FLOAT, 0, comm->feed, &comm->sent);
}

void reluopt_comm_feed_wait(Comm *comm, float *x, size_t rows, size_t batch)
{
    size_t values = rows * reluopt_comm_own_columns(comm, batch).count;
    if (comm->size > 1)
        MPI_Wait(&comm->sent, MPI_STATUS_IGNORE);
    if (comm->data.size == 1 || comm->neurons.size == 1)
        return;
    Call call = meter_start(comm, TRAFFIC_FEED, comm->neurons.index == 0 ? 0 : values * sizeof *x);
    MPI_Bcast(x, (int)values, MPI_FLOAT, 0, comm->neurons.comm);
    meter_stop(comm, call);
}

void reluopt_comm_barrier(const Comm *comm)
{
    if (comm->size == 1)
        return;
    Call call = meter_start(comm, TRAFFIC_REDUCE, 0);
    MPI_Barrier(comm->world);
    meter_stop(comm, call);
}

int reluopt_comm_agree(const Comm *comm, Error *error)
{
    if (comm->size == 1)
        return error->code;
    int first = error->code ? comm->rank : comm->size;
    Call call = meter_start(comm, TRAFFIC_REDUCE, sizeof first);
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm->world);
    meter_stop(comm, call);
    if (first == comm->size)
        return RELUOPT_OK;
    MPI_Bcast(error, (int)sizeof *error, MPI_BYTE, first, comm->world);
    if (first > 0) {
        Error record = *error;
        *error = (Error){0};
        reluopt_fail(error, record.code, "rank %d: %.1000s", first, record.message);
    }
    return error->code;
}

double reluopt_clock(void)
{
    return MPI_Wtime();
}
