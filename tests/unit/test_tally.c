/* test_tally.c - phases inside phases, counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "reluopt/dense.h"
#include "reluopt/tally.h"

static void work(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    nanosleep(&moment, NULL);
}

/* One millisecond or more went to `phase` since `before`, and none to others but `also` and PHASE_OTHER. */
static void assert_only(const Tally *before, Phase phase, Phase also)
{
    Tally t = reluopt_tally_since(before);
    assert_true(t.seconds[phase] >= 0.001);
    for (int i = 0; i < PHASES; i++)
        assert_true(i == (int)phase || i == (int)also || i == PHASE_OTHER || t.seconds[i] == 0);
}

static void time_belongs_to_the_phase_entered(void **state)
{
    (void)state;
    Tally before = reluopt_tally();
    Phase outer = reluopt_phase_enter(PHASE_GRADIENT);
    work();
    reluopt_phase_leave(outer);
    assert_only(&before, PHASE_GRADIENT, PHASE_GRADIENT);
    before = reluopt_tally();
    work();
    assert_only(&before, PHASE_OTHER, PHASE_OTHER);
}

static void a_message_interrupts_what_it_is_in(void **state)
{
    (void)state;
    Tally before = reluopt_tally();
    Phase outer = reluopt_phase_enter(PHASE_FORWARD), inner = reluopt_phase_enter(PHASE_GATHER);
    work();
    reluopt_phase_leave(inner);
    assert_only(&before, PHASE_GATHER, PHASE_FORWARD);
    before = reluopt_tally();
    work();
    reluopt_phase_leave(outer);
    assert_only(&before, PHASE_FORWARD, PHASE_FORWARD);
}

static void an_evaluation_keeps_what_is_in_it(void **state)
{
    (void)state;
    Tally before = reluopt_tally();
    Phase outer = reluopt_phase_enter(PHASE_EVALUATION);
    Phase middle = reluopt_phase_enter(PHASE_FORWARD), inner = reluopt_phase_enter(PHASE_GATHER);
    work();
    reluopt_phase_leave(inner);
    reluopt_phase_leave(middle);
    reluopt_phase_leave(outer);
    assert_only(&before, PHASE_EVALUATION, PHASE_EVALUATION);
}

static void products_are_counted_where_they_are_made(void **state)
{
    (void)state;
    float a[6] = {0}, b[12] = {0}, c[8];
    Tally before = reluopt_tally();
    Phase outer = reluopt_phase_enter(PHASE_TARGETS);
    reluopt_product(c, a, 3, b, 2, 4, 3);
    reluopt_phase_leave(outer);
    reluopt_product_nt(c, 4, a, b, 2, 4, 3);
    Tally t = reluopt_tally_since(&before);
    assert_int_equal(t.flops[PHASE_TARGETS], 2 * 2 * 4 * 3);
    assert_int_equal(t.flops[PHASE_OTHER], 2 * 2 * 4 * 3);
}

static void messages_are_counted_by_kind(void **state)
{
    (void)state;
    Tally before = reluopt_tally();
    reluopt_count_traffic(TRAFFIC_GATHER, 10);
    reluopt_count_traffic(TRAFFIC_GATHER, 5);
    reluopt_count_traffic(TRAFFIC_FEED, 7);
    Tally t = reluopt_tally_since(&before);
    assert_int_equal(t.calls[TRAFFIC_GATHER], 2);
    assert_int_equal(t.bytes[TRAFFIC_GATHER], 15);
    assert_int_equal(t.calls[TRAFFIC_FEED], 1);
    assert_int_equal(t.bytes[TRAFFIC_FEED], 7);
    assert_int_equal(t.calls[TRAFFIC_REDUCE], 0);
}

static void time_can_be_moved(void **state)
{
    (void)state;
    Tally before = reluopt_tally();
    reluopt_tally_move(PHASE_GATHER, PHASE_WAITING, 0.25);
    Tally t = reluopt_tally_since(&before);
    assert_true(t.seconds[PHASE_GATHER] == -0.25 && t.seconds[PHASE_WAITING] == 0.25);
}

static void every_phase_and_message_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < PHASES; i++)
        assert_non_null(reluopt_phase_name((Phase)i));
    for (int i = 0; i < TRAFFICS; i++)
        assert_non_null(reluopt_traffic_name((Traffic)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_belongs_to_the_phase_entered),
        cmocka_unit_test(a_message_interrupts_what_it_is_in),
        cmocka_unit_test(an_evaluation_keeps_what_is_in_it),
        cmocka_unit_test(products_are_counted_where_they_are_made),
        cmocka_unit_test(messages_are_counted_by_kind),
        cmocka_unit_test(time_can_be_moved),
        cmocka_unit_test(every_phase_and_message_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
