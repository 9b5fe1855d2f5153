# reluopt-mpi: distributed training of ReLU networks by target propagation with analytic steps.
#
#   make            build/reluopt-mpi, its manual page and bash completion
#   make demo       install what is missing, build, train on Fashion-MNIST with 8 ranks
#   make library    build/lib/libreluopt.so and .a: load a checkpoint and predict, from any program
#   make install    program, library and manual to $(DESTDIR)$(PREFIX); make uninstall takes them away
#   make deb        build/deb/*.deb: the same as Debian packages
#   make check      install what is missing, build, run all tests
#   make lint, fuzz, valgrind, coverage      look for faults beyond the tests: see CONTRIBUTING.md
#   make docs       docs/configuration.md, from the option table
#   make bench      measure training steps, write results/performance.md
#   make reproduce  the thesis's experiments and the recommended settings: runs (hours; resumed where they stopped) and
#                   results/; settings RUNS, OUT (folders), JOBS (runs at a time), NP (ranks of each), EPOCHS (go no
#                   further for now), ONLY (regex of runs), COMMAND=plan or report; QUICK=1: all in small, in a minute
#   make peers      compare with optimisers of PyTorch, write results/peers.md (hours; QUICK=1: minutes)
#   make format     clang-format on all sources
#   make help       this text
#
# Settings: CC, ARCH (processor to build for; "native" here, "x86-64-v3" for a mixed cluster), CFLAGS, LDFLAGS,
#           LDLIBS, PACKAGES (libraries to ask pkg-config for), BUILD (folder of the results), SANITIZE=1,
#           VERBOSE=1 (show the commands), DEPENDENCIES=no (install nothing), PYTHON (of make reproduce),
#           PREFIX (/usr/local), LIBDIR, DESTDIR.

CC      := mpicc
ARCH    ?= native
PACKAGES := hdf5-openmpi yaml-0.1 zlib libdeflate libzip libpng lapacke openblas
BUILD   := build
SHOW    := $(if $(VERBOSE),,@)

# CFLAGS, LDFLAGS and LDLIBS are the user's; what the program needs is in FLAGS and LIBS.
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
           -Wmissing-prototypes -Werror
FLAGS   := -std=c11 -D_GNU_SOURCE -march=$(ARCH) -fPIC -fno-semantic-interposition -fopenmp-simd -fno-math-errno -fno-trapping-math $(WARN) -MMD -MP \
           -Iinclude $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS    := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

ifdef SANITIZE
BUILD   := build/sanitize
CFLAGS  ?= -O1 -g
CHECKS  := -fsanitize=address,undefined
FLAGS   += $(CHECKS) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
KEEP    := $(BUILD)/tests/nodlclose.o
else
CFLAGS  ?= -O3 -g
endif

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
TESTS   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c tests/mpi/test_*.c))

.PHONY: all libraries tests demo check help docs bench reproduce peers format clean dependencies
.SECONDARY:

all: $(BUILD)/reluopt-mpi $(BUILD)/man/reluopt-mpi.1 $(BUILD)/completion/reluopt-mpi

tests: $(TESTS)

$(BUILD)/reluopt-mpi: $(BUILD)/src/main.o $(BUILD)/program.a $(KEEP)
	@echo "  link    $@"
	$(SHOW)$(CC) $(CHECKS) $(LDFLAGS) -o $@ $^ $(LIBS) $(LDLIBS)

# The manual page and the completion of bash come from the tables behind --help.
$(BUILD)/man/reluopt-mpi.1: $(BUILD)/reluopt-mpi
	@mkdir -p $(@D)
	. launch/mpi-env.sh && ASAN_OPTIONS=detect_leaks=0 $< help --man >$@.new && mv $@.new $@

$(BUILD)/completion/reluopt-mpi: $(BUILD)/reluopt-mpi
	@mkdir -p $(@D)
	. launch/mpi-env.sh && ASAN_OPTIONS=detect_leaks=0 $< help --completion >$@.new && mv $@.new $@

$(BUILD)/program.a: $(OBJECTS)
	@rm -f $@
	@echo "  archive $@"
	$(SHOW)ar rcs $@ $^

# Said here rather than by the compiler about the first header.
libraries:
	@missing=$$(for p in $(PACKAGES); do pkg-config --exists $$p || printf ' %s' $$p; done); [ -z "$$missing" ] || \
	{ echo "pkg-config does not find:$$missing; launch/install-dependencies.sh, or docs/cluster.md for a build without root" >&2; \
	exit 2; }

$(BUILD)/%.o: %.c | libraries
	@mkdir -p $(@D)
	@echo "  compile $<"
	$(SHOW)$(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<

# Style sheets become rows of string literals.
$(BUILD)/%.css.inc: %.css
	@mkdir -p $(@D)
	sed 's/["\\]/\\&/g; s/.*/"&\\n",/' $< >$@

$(BUILD)/src/report/%.o: FLAGS += -I$(BUILD)/src/report
$(BUILD)/src/report/svg.o: $(BUILD)/src/report/plot.css.inc
$(BUILD)/src/report/page.o: $(BUILD)/src/report/page.css.inc

# The logarithm and cosine of the noise vectorise only under relaxed floating-point rules.
$(BUILD)/src/base/random.o: FLAGS += -ffast-math

# ISO C would keep the multiplication and the addition of the peak apart.
$(BUILD)/src/base/peak.o: FLAGS += -ffp-contract=fast

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/program.a $(KEEP)
	@echo "  link    $@"
	$(SHOW)$(CC) $(CHECKS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS) $(LDLIBS)

include launch/install.mk
include tests/checks.mk

dependencies:
	$(if $(filter no,$(DEPENDENCIES)),,launch/install-dependencies.sh $(EXTRA))

TEST_PACKAGES := libcmocka-dev python3-h5py python3-matplotlib python3-onnx binutils man-db mandoc dpkg-dev curl

# Recursive, so that pkg-config is asked after the packages are there.
PARALLEL := --no-print-directory -j $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)

demo: dependencies
	@$(MAKE) $(PARALLEL) all
	. launch/mpi-env.sh && mpirun -np 8 $(BUILD)/reluopt-mpi train configs/fashion-mnist.yaml

check: EXTRA = $(TEST_PACKAGES)
check: dependencies
	@$(MAKE) $(PARALLEL) all tests library
	@$(MAKE) $(PARALLEL) build/sanitize/tests/replay SANITIZE=1
	@BUILD=$(BUILD) tests/run.sh '$(PATTERN)'

bench: dependencies
	@$(MAKE) $(PARALLEL) all
	results/performance.sh

# python3 results/reproduce --help says what each option does.
REPRODUCE = $(or $(COMMAND),run) $(if $(QUICK),--quick) $(if $(RUNS),--runs '$(RUNS)') $(if $(OUT),--out '$(OUT)') \
            $(if $(JOBS),--jobs $(JOBS)) $(if $(NP),--np $(NP)) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(ONLY),--only '$(ONLY)')
PYTHON = /usr/bin/python3
reproduce: EXTRA = python3-h5py python3-matplotlib
reproduce: dependencies
	@$(MAKE) $(PARALLEL) all
	. launch/mpi-env.sh && BUILD=$(BUILD) $(PYTHON) results/reproduce $(REPRODUCE)

peers: EXTRA = python3-torch python3-h5py libopenblas0-openmp
peers: dependencies
	@$(MAKE) $(PARALLEL) all
	results/peers.sh

docs: all
	. launch/mpi-env.sh && $(BUILD)/reluopt-mpi help --reference >docs/configuration.md

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

clean:
	rm -rf build

format:
	clang-format -i include/reluopt/*.h src/*.c src/*/*.c tests/*/*.c tests/*/*.h

-include $(OBJECTS:.o=.d) $(BUILD)/src/main.d $(TESTS:=.d)
