# checks.mk - what looks for faults beyond the tests; a part of the Makefile.

# Fuzzing: libFuzzer of clang over each target, from the kept inputs on.  What it finds is in build/fuzz/TARGET/.
# make fuzz [TARGET=csv] [SECONDS=600]
FUZZ    := $(wildcard tests/fuzz/*.c)
TARGET  := $(notdir $(wildcard tests/fuzz/seeds/*))
SECONDS := 60

.PHONY: fuzz

fuzz: EXTRA = clang libclang-rt-dev
fuzz: dependencies
	@OMPI_CC=clang $(MAKE) $(PARALLEL) build/fuzz/fuzz BUILD=build/fuzz WARN=-w \
	    CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
	@failed=0; for target in $(TARGET); do tests/fuzz/fuzz.sh $$target $(SECONDS) || failed=1; done; exit $$failed

$(BUILD)/fuzz: $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/replay.c,$(FUZZ))) $(BUILD)/program.a
	@echo "  link    $@"
	$(SHOW)$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(LIBS) $(LDLIBS)

$(BUILD)/tests/replay: $(FUZZ:%.c=$(BUILD)/%.o) $(BUILD)/program.a $(KEEP)
	@mkdir -p $(@D)
	@echo "  link    $@"
	$(SHOW)$(CC) $(CHECKS) $(LDFLAGS) -o $@ $^ $(LIBS) $(LDLIBS)

# Static analysis: see tests/lint.sh.
.PHONY: lint
lint: EXTRA = clang-tidy cppcheck
lint: dependencies
	@$(MAKE) $(PARALLEL) all
	@tests/lint.sh

# Valgrind: unit tests, MPI tests, and the tests of some commands.
# make valgrind [PATTERN=unit/]
.PHONY: valgrind
valgrind: EXTRA = $(TEST_PACKAGES) valgrind
valgrind: dependencies
	@$(MAKE) $(PARALLEL) all tests
	@VALGRIND=1 BUILD=$(BUILD) tests/run.sh '$(or $(PATTERN),unit/|mpi/.* np [13]$$|system/test_(predict|export|report))'

# Coverage of src by the whole suite: lines, and a page for each file.
# make coverage [PATTERN=unit/]
.PHONY: coverage
coverage: EXTRA = $(TEST_PACKAGES) gcovr
coverage: dependencies
	@$(MAKE) $(PARALLEL) all tests library BUILD=build/coverage CFLAGS="-O1 -g --coverage -fprofile-update=prefer-atomic" LDFLAGS=--coverage
	-@BUILD=build/coverage tests/run.sh '$(PATTERN)'
	@gcovr -r . --filter src/ build/coverage --html-details build/coverage/index.html --print-summary --fail-under-line 90

-include $(FUZZ:%.c=$(BUILD)/%.d)
