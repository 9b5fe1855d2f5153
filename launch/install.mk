# install.mk - the library, installing, Debian packages; a part of the Makefile.

PREFIX  := /usr/local
LIBDIR  := $(PREFIX)/lib
VERSION := $(shell sed -n 's/^\#define RELUOPT_VERSION "\(.*\)"/\1/p' include/reluopt/version.h)

.PHONY: library install uninstall deb

# The library: model.o and what it calls of the program.  Its version script, and for the static one objcopy, leave
# no other symbol to be seen.
SHARED  := $(BUILD)/lib/libreluopt.so.$(VERSION)
SONAME  := libreluopt.so.$(firstword $(subst ., ,$(VERSION)))

library: $(SHARED) $(BUILD)/lib/libreluopt.a

$(SHARED): $(BUILD)/src/run/model.o $(BUILD)/program.a src/run/model.map
	@mkdir -p $(@D)
	@echo "  link    $@"
	$(SHOW)$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=src/run/model.map -Wl,--as-needed -Wl,-z,defs \
	    $(CHECKS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS) $(LDLIBS)
	@ln -sf $(@F) $(@D)/$(SONAME)
	@ln -sf $(SONAME) $(@D)/libreluopt.so

$(BUILD)/lib/libreluopt.a: $(BUILD)/src/run/model.o $(BUILD)/program.a
	@mkdir -p $(@D)
	@rm -f $@
	@echo "  archive $@"
	$(SHOW)ld -r -o $(@D)/model.o $^
	$(SHOW)objcopy --wildcard --keep-global-symbol='reluopt_model_*' $(@D)/model.o
	$(SHOW)ar rcs $@ $(@D)/model.o

# What is installed, SOURCE:DESTINATION; links and folders of our own besides.
SHARE     := $(PREFIX)/share/reluopt-mpi
DOC       := $(PREFIX)/share/doc/reluopt-mpi
INCLUDE   := $(PREFIX)/include/reluopt
SCRIPTS   := $(filter-out %/install-dependencies.sh %/make-deb.sh,$(wildcard launch/*.sh launch/*.slurm))
INSTALLED := $(BUILD)/reluopt-mpi:$(PREFIX)/bin/reluopt-mpi \
    $(BUILD)/man/reluopt-mpi.1:$(PREFIX)/share/man/man1/reluopt-mpi.1 \
    $(BUILD)/completion/reluopt-mpi:$(PREFIX)/share/bash-completion/completions/reluopt-mpi \
    $(SHARED):$(LIBDIR)/$(notdir $(SHARED)) \
    $(BUILD)/lib/libreluopt.a:$(LIBDIR)/libreluopt.a \
    $(BUILD)/lib/reluopt.pc:$(LIBDIR)/pkgconfig/reluopt.pc \
    $(BUILD)/lib/reluopt-mpi.lua:$(SHARE)/modulefiles/reluopt-mpi/$(VERSION).lua \
    $(foreach h,model codes version,include/reluopt/$h.h:$(INCLUDE)/$h.h) \
    $(foreach f,$(SCRIPTS) $(wildcard configs/*.yaml configs/*/*.yaml),$f:$(SHARE)/$f) \
    $(foreach f,LICENSE include/reluopt/model.h $(wildcard *.md docs/*.* docs/examples/* results/*.md results/figures/*.svg), \
        $f:$(DOC)/$f)

install: all library
	@for f in reluopt.pc reluopt-mpi.lua; do \
	    sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIBS) $(LDLIBS)|' launch/$$f.in \
	        >$(BUILD)/lib/$$f || exit; done
	@for pair in $(INSTALLED); do from=$${pair%%:*}; to="$(DESTDIR)$${pair#*:}"; \
	    if [ -x $$from ]; then mode=755; else mode=644; fi; install -D -m $$mode $$from "$$to" || exit; done
	@ln -sf $(notdir $(SHARED)) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	@ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libreluopt.so"
	@echo "installed in $(DESTDIR)$(PREFIX)"

uninstall:
	@for pair in $(INSTALLED); do rm -f "$(DESTDIR)$${pair#*:}" || exit; done
	@rm -f "$(DESTDIR)$(LIBDIR)/$(SONAME)" "$(DESTDIR)$(LIBDIR)/libreluopt.so"
	@for folder in $(SHARE) $(DOC) $(INCLUDE); do \
	    [ ! -d "$(DESTDIR)$$folder" ] || find "$(DESTDIR)$$folder" -depth -type d -empty -delete; done

# Debian packages, for any processor with AVX2 (x86-64-v3), whatever this one has.
DEBOUT   := $(BUILD)/deb
DEBBUILD := $(DEBOUT)/build
deb:
	@$(MAKE) $(PARALLEL) install BUILD=$(DEBBUILD) ARCH=x86-64-v3 PREFIX=/usr DESTDIR=$(DEBOUT)/stage \
	    LIBDIR=/usr/lib/$$(dpkg-architecture -qDEB_HOST_MULTIARCH) \
	    CFLAGS="$$(dpkg-buildflags --get CFLAGS) $$(dpkg-buildflags --get CPPFLAGS) -O3" LDFLAGS="$$(dpkg-buildflags --get LDFLAGS)"
	@launch/make-deb.sh $(VERSION) $(DEBOUT)/stage $(DEBOUT)
