# reluopt-mpi: distributed training of ReLU networks by target propagation with analytic steps.
#
#   make            build/reluopt-mpi
#   make library    build/lib/libreluopt.so and .a: load a checkpoint and predict, from any program
#   make install    program, library and manual to $(DESTDIR)$(PREFIX); make uninstall takes them away
#   make deb        build/deb/*.deb: the same as Debian packages
#   make demo       install what is missing, build, train on Fashion-MNIST with 8 ranks
#   make check      install what is missing, build, run all tests
#   make format     clang-format on all sources
#
# Settings: CC, ARCH (processor to build for; "native" here, "x86-64-v3" for a mixed cluster), CFLAGS, LDFLAGS,
#           LDLIBS, BUILD (folder of the results), SANITIZE=1, PREFIX, LIBDIR, DESTDIR.

CC      := mpicc
ARCH    ?= native
PACKAGES := hdf5-openmpi yaml-0.1 zlib lapacke openblas
BUILD   := build
PREFIX  := /usr/local
LIBDIR  := $(PREFIX)/lib
VERSION := $(shell sed -n 's/^\#define RELUOPT_VERSION "\(.*\)"/\1/p' include/reluopt/version.h)

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

.PHONY: all library tests install uninstall deb demo check format clean dependencies
.SECONDARY:

all: $(BUILD)/reluopt-mpi

tests: $(TESTS)

$(BUILD)/reluopt-mpi: $(BUILD)/src/main.o $(BUILD)/program.a $(KEEP)
	$(CC) $(CHECKS) $(LDFLAGS) -o $@ $^ $(LIBS) $(LDLIBS)

$(BUILD)/program.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<

# The logarithm and cosine of the noise vectorise only under relaxed floating-point rules.
$(BUILD)/src/base/random.o: FLAGS += -ffast-math

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/program.a $(KEEP)
	$(CC) $(CHECKS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS) $(LDLIBS)

# The library: model.o and what it calls of the program.  Its version script, and for the static one objcopy, leave
# no other symbol to be seen.
SHARED  := $(BUILD)/lib/libreluopt.so.$(VERSION)
SONAME  := libreluopt.so.$(firstword $(subst ., ,$(VERSION)))

library: $(SHARED) $(BUILD)/lib/libreluopt.a

$(SHARED): $(BUILD)/src/run/model.o $(BUILD)/program.a src/run/model.map
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=src/run/model.map -Wl,--as-needed -Wl,-z,defs \
	    $(CHECKS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS) $(LDLIBS)
	ln -sf $(@F) $(@D)/$(SONAME)
	ln -sf $(SONAME) $(@D)/libreluopt.so

$(BUILD)/lib/libreluopt.a: $(BUILD)/src/run/model.o $(BUILD)/program.a
	@mkdir -p $(@D)
	@rm -f $@
	ld -r -o $(@D)/model.o $^
	objcopy --wildcard --keep-global-symbol='reluopt_model_*' $(@D)/model.o
	ar rcs $@ $(@D)/model.o

# What is installed, SOURCE:DESTINATION; links and folders of our own besides.
SHARE     := $(PREFIX)/share/reluopt-mpi
DOC       := $(PREFIX)/share/doc/reluopt-mpi
INCLUDE   := $(PREFIX)/include/reluopt
SCRIPTS   := $(filter-out %/install-dependencies.sh %/make-deb.sh,$(wildcard launch/*.sh launch/*.slurm))
INSTALLED := $(BUILD)/reluopt-mpi:$(PREFIX)/bin/reluopt-mpi \
    $(SHARED):$(LIBDIR)/$(notdir $(SHARED)) \
    $(BUILD)/lib/libreluopt.a:$(LIBDIR)/libreluopt.a \
    $(BUILD)/lib/reluopt.pc:$(LIBDIR)/pkgconfig/reluopt.pc \
    $(BUILD)/lib/reluopt-mpi.lua:$(SHARE)/modulefiles/reluopt-mpi/$(VERSION).lua \
    $(foreach h,model codes version,include/reluopt/$h.h:$(INCLUDE)/$h.h) \
    $(foreach f,$(SCRIPTS) $(wildcard configs/*.yaml configs/*/*.yaml),$f:$(SHARE)/$f) \
    $(foreach f,README.md CHANGELOG.md LICENSE $(wildcard docs/*.md docs/*.svg docs/examples/*),$f:$(DOC)/$f)

install: all library
	@for f in reluopt.pc reluopt-mpi.lua; do \
	    sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIBS)|' launch/$$f.in \
	        >$(BUILD)/lib/$$f || exit; done
	@for pair in $(INSTALLED); do from=$${pair%%:*}; to="$(DESTDIR)$${pair#*:}"; \
	    if [ -x $$from ]; then mode=755; else mode=644; fi; install -D -m $$mode $$from "$$to" || exit; done
	ln -sf $(notdir $(SHARED)) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libreluopt.so"
	@echo "installed in $(DESTDIR)$(PREFIX)"

uninstall:
	@for pair in $(INSTALLED); do rm -f "$(DESTDIR)$${pair#*:}" || exit; done
	rm -f "$(DESTDIR)$(LIBDIR)/$(SONAME)" "$(DESTDIR)$(LIBDIR)/libreluopt.so"
	@for folder in $(SHARE) $(DOC) $(INCLUDE); do \
	    [ ! -d "$(DESTDIR)$$folder" ] || find "$(DESTDIR)$$folder" -depth -type d -empty -delete; done

# Debian packages, for any processor with AVX2 (x86-64-v3), whatever this one has.
DEBOUT   := $(BUILD)/deb
DEBBUILD := $(DEBOUT)/build
deb:
	$(MAKE) install BUILD=$(DEBBUILD) ARCH=x86-64-v3 PREFIX=/usr DESTDIR=$(DEBOUT)/stage \
	    LIBDIR=/usr/lib/$$(dpkg-architecture -qDEB_HOST_MULTIARCH) \
	    CFLAGS="$$(dpkg-buildflags --get CFLAGS) -O3" LDFLAGS="$$(dpkg-buildflags --get LDFLAGS)"
	launch/make-deb.sh $(VERSION) $(DEBOUT)/stage $(DEBOUT)

dependencies:
	launch/install-dependencies.sh $(EXTRA)

# Recursive, so that pkg-config is asked after the packages are there.
demo: dependencies
	$(MAKE) all
	. launch/mpi-env.sh && mpirun -np 8 $(BUILD)/reluopt-mpi train configs/fashion-mnist.yaml

check: EXTRA = libcmocka-dev python3-h5py binutils dpkg-dev curl
check: dependencies
	$(MAKE) all tests library
	tests/run.sh $(PATTERN)

clean:
	rm -rf build

format:
	clang-format -i include/reluopt/*.h src/*.c src/*/*.c tests/*/*.c tests/*/*.h

-include $(OBJECTS:.o=.d) $(BUILD)/src/main.d $(TESTS:=.d)
