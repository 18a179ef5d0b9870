# PRA. Start with `make help`.
#
# One non-recursive Makefile. Everything made goes below $(BUILD); third-party libraries that we
# build ourselves live outside the tree (packaging/deps/deps.sh --prefix). SAN=address or
# SAN=thread builds everything, libraries included, with that sanitizer into a folder of its own.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS   += --no-builtin-rules
# V=1 shows whole command lines.
V ?=
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

SAN     ?=
BUILD   ?= build$(if $(SAN),-$(SAN))
DESTDIR ?=
PREFIX  ?= /usr/local
TIME    ?= 60
# TRAY=0: without the windows and without GTK, as for a gateway.
TRAY    ?= 1
VERSION := 0.1.0

CC      := gcc
CLANG   := clang
PYTHON  := /usr/bin/python3
export DEPS_SAN := $(SAN)
DEPS    := $(shell packaging/deps/deps.sh --prefix)

# --- flags ---------------------------------------------------------------------------------
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wformat=2 -Wvla -Werror
OPT      := -O2 -g -fno-omit-frame-pointer
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
ifeq ($(SAN),)
HARDEN   += -D_FORTIFY_SOURCE=2
LDSAN    :=
else ifeq ($(SAN),address)
OPT      := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDSAN    := -fsanitize=address,undefined
else ifeq ($(SAN),thread)
OPT      := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
LDSAN    := -fsanitize=thread
else
$(error SAN is address or thread)
endif
# Those of the SSH libraries and of their libcrypto; and those of jansson.
SSH_HEADERS := -isystem$(DEPS)/include
HEADERS  := $(SSH_HEADERS) -isystem$(DEPS)/include/json
CPPFLAGS := -D_GNU_SOURCE -DPRA_VERSION='"$(VERSION)"' -I. $(HEADERS)
CFLAGS   := -std=c11 $(OPT) $(HARDEN) $(WARN) -pthread
LDFLAGS  := -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(LDSAN)

# Names the one libcrypto: ours where the system's is old, else the system's (packaging/deps).
CRYPTO      := @$(DEPS)/lib/crypto.link
JSON        := $(DEPS)/lib/libjansson.a
LIBS_common := $(JSON) -linih $(CRYPTO)
LIBS_client := $(DEPS)/lib/libssh2.a -luv -lz $(LIBS_common)
LIBS_server := $(DEPS)/lib/libssh.a -levent_core -levent_pthreads -lsqlite3 -loath -lz -lseccomp $(LIBS_common)

# --- what is made of what ------------------------------------------------------------------
# What differs between systems lies beside each other: *_posix.c and *_linux.c here, *_win.c there.
SRC_common := $(filter-out %_win.c,$(wildcard common/*.c))
SRC_keys   := $(filter-out %_win.c,$(wildcard keys/*.c))
SRC_helper := $(wildcard keys/helper/*.c)
# What the tray's windows show and do, whatever they are made of; in the client's library.
SRC_shown  := $(filter-out %_gtk.c %_win.c,$(wildcard client/tray/*.c))
SRC_client := $(filter-out client/main.c %_win.c,$(wildcard client/*.c)) $(SRC_shown)
SRC_server := $(wildcard server/*/*.c server/config*.c)
SRC_server := $(filter-out server/prad/% server/portal/% server/mailer/% server/passkey/%,$(SRC_server))
SRC_prad   := $(filter-out server/prad/main.c,$(wildcard server/prad/*.c))
SRC_admin  := $(wildcard server/pra-admin*.c)

# What the programs of the gateway may still do; in all of them.
SRC_sandbox := server/sandbox/files.c server/sandbox/calls.c

# The portal has libssl in its process, so it uses the distribution's libcrypto, whatever the other
# programs use: what it needs of ours is compiled for it, with the distribution's headers.
SRC_portal := $(wildcard server/portal/*.c) server/config.c server/policy/policy_clone.c server/admin/password.c \
              server/prad/notify.c server/prad/descriptors.c $(SRC_sandbox) $(SRC_common)
LIBS_portal := -levent_openssl -levent_extra -levent_core -lssl -lcrypto -lqrencode -lseccomp $(JSON) -linih

# libcurl brings the distribution's libssl as well.
SRC_mailer  := $(wildcard server/mailer/*.c) $(SRC_sandbox) $(SRC_common)
LIBS_mailer := -lcurl -lcrypto -lseccomp $(JSON) -linih

# libfido2 brings the same libcrypto.
SRC_passkey := $(wildcard server/passkey/*.c) $(SRC_sandbox) $(SRC_common)
LIBS_passkey := -lfido2 -lcrypto -lseccomp $(JSON) -linih

# The windows of GTK; those of Win32 are in *_win.c.
SRC_tray   := $(wildcard client/tray/*_gtk.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
# What the portal is made of.
pobj = $(patsubst %.c,$(BUILD)/portal/obj/%.o,$(1))
# keys/ a second time, with the provider that feeds whole machines to tests.
tobj = $(patsubst %.c,$(BUILD)/test/obj/%.o,$(1))

L_common := $(BUILD)/lib/libcommon.a
L_keys   := $(BUILD)/lib/libkeys.a
L_tkeys  := $(BUILD)/test/lib/libkeys.a
L_client := $(BUILD)/lib/libclient.a
L_server := $(BUILD)/lib/libserver.a
L_prad   := $(BUILD)/lib/libprad.a

PROGRAMS  := $(addprefix $(BUILD)/,pra prad pra-admin pra-portal pra-mailer pra-passkey pra-keyhelper)
TPROGRAMS := $(BUILD)/test/pra $(BUILD)/test/pra-keyhelper
ifneq ($(TRAY),0)
PROGRAMS  += $(BUILD)/pra-tray
TPROGRAMS += $(BUILD)/test/pra-tray
endif

MAN := $(patsubst packaging/man/%.scd,$(BUILD)/man/%,$(wildcard packaging/man/*.scd))

UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT     := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
DEPTEST  := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/deps/test_*.c))
# Small C programs that pytest uses: drivers, load generators, raw peers.
TOOLS    := $(patsubst tests/%.c,$(BUILD)/tests/%,\
              $(wildcard tests/policy/*.c tests/flow/*.c tests/raw/*.c tests/bench/*.c))
FUZZ     := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all deps demo screenshots test check unit flow bench soak fuzz fuzz-build tests install clean help packages
.PHONY: programs threads deb test-packages
.DEFAULT_GOAL := all
.SECONDARY: # keep objects that only one program needs

all: packages $(PROGRAMS) $(MAN) ## build pra, pra-tray, prad, pra-admin and pra-keyhelper (installs what is missing)

programs: $(PROGRAMS) $(MAN) # what a package's build asks for: nothing is installed

help: ## this list
	@echo "PRA $(VERSION): secure remote access by port forwarding"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile packaging/windows/*.mk | column -t -s '|'
	@echo "  SAN=address|thread builds and tests with a sanitizer; BUILD=folder builds elsewhere; V=1 shows commands."
	@echo "  TRAY=0 builds and installs no windows and needs no GTK (a gateway)."

packages:
	@packaging/deps/install-packages.sh build
ifneq ($(TRAY),0)
	@packaging/deps/install-packages.sh tray
endif

$(DEPS)/.done:
	@packaging/deps/install-packages.sh build
	packaging/deps/deps.sh build

deps: packages $(DEPS)/.done ## build libssh, libssh2 (with our patches) and libcrypto into the cache

# --- objects -------------------------------------------------------------------------------
# Changes when the libraries do (a patch was added), and everything is built again then; so it is
# when they are built again from newer sources (deps.sh update).
STAMP := $(BUILD)/deps-prefix
$(shell mkdir -p $(BUILD); echo $(DEPS) | cmp -s - $(STAMP) || echo $(DEPS) >$(STAMP))

$(BUILD)/obj/%.o: %.c $(STAMP) $(DEPS)/.done
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/test/obj/%.o: %.c $(STAMP) $(DEPS)/.done
	@mkdir -p $(@D)
	$(call say,CC,$< for tests)
	$(Q)$(CC) $(CPPFLAGS) -DPRA_TEST_PROVIDER $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/portal/obj/%.o: %.c $(STAMP) | packages $(DEPS)/.done
	@mkdir -p $(@D)
	$(call say,CC,$< for the portal)
	$(Q)$(CC) $(filter-out $(SSH_HEADERS),$(CPPFLAGS)) $(CFLAGS) -MMD -MP -c $< -o $@

# The page, as an array for each of its files, with the module that it draws with.
PAGE   := $(wildcard server/portal/page/*)
PREACT := $(shell packaging/deps/web.sh --path preact)
$(PREACT): packaging/deps/web.sh | packages
	$(Q)packaging/deps/web.sh fetch preact
	@touch $@
$(BUILD)/portal/assets.c: server/portal/embed.py $(PREACT) $(PAGE)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)$(PYTHON) server/portal/embed.py $@ preact.js=$(PREACT) $(PAGE)
$(BUILD)/portal/obj/assets.o: $(BUILD)/portal/assets.c $(STAMP) | packages $(DEPS)/.done
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out $(SSH_HEADERS),$(CPPFLAGS)) $(CFLAGS) -MMD -MP -c $< -o $@

# Asked for when it is used: `make` may just have installed it.
GTK        = gtk+-3.0 dbusmenu-glib-0.4
GTK_CFLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(GTK)))
GTK_LIBS   = $(shell pkg-config --libs $(GTK)) -lm
$(call obj,$(SRC_tray)): | packages
$(call obj,$(SRC_tray)): $(BUILD)/obj/client/tray/%.o: client/tray/%.c $(STAMP) | $(DEPS)/.done
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(GTK_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

define archive
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^
endef
$(L_common): $(call obj,$(SRC_common)); $(archive)
$(L_keys):   $(call obj,$(SRC_keys));   $(archive)
$(L_tkeys):  $(call tobj,$(SRC_keys));  $(archive)
$(L_client): $(call obj,$(SRC_client)); $(archive)
$(L_server): $(call obj,$(SRC_server)); $(archive)
$(L_prad):   $(call obj,$(SRC_prad));   $(archive)

# --- programs ------------------------------------------------------------------------------
define link
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(1) -o $@
endef
$(BUILD)/pra: $(call obj,client/main.c) $(L_client) $(L_keys) $(L_common)
	$(call link,$(LIBS_client))
$(BUILD)/test/pra: $(call obj,client/main.c) $(L_client) $(L_tkeys) $(L_common)
	$(call link,$(LIBS_client))
$(BUILD)/pra-tray: $(call obj,$(SRC_tray)) $(L_client) $(L_keys) $(L_common)
	$(call link,$(GTK_LIBS) $(LIBS_common))
$(BUILD)/test/pra-tray: $(call obj,$(SRC_tray)) $(L_client) $(L_tkeys) $(L_common)
	$(call link,$(GTK_LIBS) $(LIBS_common))
$(BUILD)/pra-keyhelper: $(call obj,$(SRC_helper)) $(L_keys) $(L_common)
	$(call link,$(LIBS_common))
$(BUILD)/test/pra-keyhelper: $(call tobj,$(SRC_helper)) $(L_tkeys) $(L_common)
	$(call link,$(LIBS_common))
$(BUILD)/prad: $(call obj,server/prad/main.c) $(L_prad) $(L_server) $(L_keys) $(L_common)
	$(call link,$(LIBS_server))
$(BUILD)/pra-portal: $(call pobj,$(SRC_portal)) $(BUILD)/portal/obj/assets.o
	$(call link,$(LIBS_portal))
$(BUILD)/pra-mailer: $(call pobj,$(SRC_mailer))
	$(call link,$(LIBS_mailer))
$(BUILD)/pra-passkey: $(call pobj,$(SRC_passkey))
	$(call link,$(LIBS_passkey))
$(BUILD)/pra-admin: $(call obj,$(SRC_admin)) $(L_server) $(L_keys) $(L_common)
	$(call link,-lqrencode $(LIBS_server))

# --- manual pages --------------------------------------------------------------------------
# Dated by their last change, so that the same tree gives the same pages.
$(BUILD)/man/%: packaging/man/%.scd | packages
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)epoch=$$(git log -1 --format=%ct -- $< 2>/dev/null) || true; \
	    SOURCE_DATE_EPOCH=$${epoch:-$$(stat -c %Y $<)} scdoc <$< >$@.new
	@mv $@.new $@

# --- tests ---------------------------------------------------------------------------------
# Linked by lld where that is, in a third of the time: a hundred programs of 20 MB, for each build.
TEST_LD := $(if $(shell command -v ld.lld),-fuse-ld=lld)
$(BUILD)/tests/unit/common/%: $(BUILD)/test/obj/tests/unit/common/%.o $(L_common)
	$(call link,$(TEST_LD) -lcmocka $(LIBS_common))
# They look into the release library, and run the helper.
$(BUILD)/tests/unit/keys/%: $(BUILD)/test/obj/tests/unit/keys/%.o $(L_tkeys) $(L_common) | $(L_keys) $(BUILD)/pra-keyhelper
	$(call link,$(TEST_LD) -lcmocka $(LIBS_common))
$(BUILD)/tests/unit/client/%: $(BUILD)/test/obj/tests/unit/client/%.o $(L_client) $(L_tkeys) $(L_common)
	$(call link,$(TEST_LD) -lcmocka $(LIBS_client))
$(BUILD)/tests/unit/server/%: $(BUILD)/test/obj/tests/unit/server/%.o $(L_prad) $(L_server) $(L_tkeys) $(L_common)
	$(call link,$(TEST_LD) -lcmocka $(LIBS_server))
$(BUILD)/tests/deps/%: $(BUILD)/test/obj/tests/deps/%.o
	$(call link,$(TEST_LD) -lcmocka $(DEPS)/lib/libssh.a $(DEPS)/lib/libssh2.a $(JSON) $(CRYPTO))
$(BUILD)/tests/policy/%: $(BUILD)/test/obj/tests/policy/%.o $(L_server) $(L_keys) $(L_common)
	$(call link,$(TEST_LD) $(LIBS_server))
$(BUILD)/tests/flow/%: $(BUILD)/test/obj/tests/flow/%.o $(L_tkeys) $(L_common)
	$(call link,$(TEST_LD) $(LIBS_client))
$(BUILD)/tests/raw/%: $(BUILD)/test/obj/tests/raw/%.o $(L_tkeys) $(L_common)
	$(call link,$(TEST_LD) $(DEPS)/lib/libssh.a $(LIBS_client))
$(BUILD)/tests/bench/%: $(BUILD)/test/obj/tests/bench/%.o $(L_client) $(L_tkeys) $(L_common)
	$(call link,$(TEST_LD) $(LIBS_client))
$(BUILD)/tests/bench/crowd: $(BUILD)/test/obj/tests/bench/crowd/client.o

tests: $(PROGRAMS) $(TPROGRAMS) $(UNIT) $(DEPTEST) $(TOOLS)

# What the short run of ThreadSanitizer needs: programs with threads, and what drives them.
threads: $(addprefix $(BUILD)/,prad pra-admin pra-portal pra pra-keyhelper test/pra test/pra-keyhelper) \
         $(BUILD)/tests/unit/server/test_prad_threads

test: packages ## install, build, check and run every test; closes with the counts
	@packaging/deps/install-packages.sh test
	@packaging/deps/install-packages.sh windows
	@packaging/deps/install-packages.sh installers
	@packaging/deps/install-packages.sh test-windows
	@packaging/deps/install-packages.sh deb
	@$(MAKE) --no-print-directory tests
	@PRA_BUILD=$(abspath $(BUILD)) PRA_DEPS=$(DEPS) SAN=$(SAN) tests/run.py

unit: packages $(UNIT) $(DEPTEST) ## unit tests and tests of our library patches only
	@PRA_BUILD=$(abspath $(BUILD)) PRA_DEPS=$(DEPS) SAN=$(SAN) tests/run.py unit

flow: packages $(PROGRAMS) $(TPROGRAMS) $(TOOLS) ## tests with real servers and clients only
	@PRA_BUILD=$(abspath $(BUILD)) PRA_DEPS=$(DEPS) SAN=$(SAN) tests/run.py flow

soak: packages tests ## the tests that take minutes: ten thousand clients, 10^5 connections, 1,000 slow readers
	@packaging/deps/install-packages.sh test
	@packaging/deps/install-packages.sh deb
	@packaging/deps/install-packages.sh test-packages
	@PRA_BUILD=$(abspath $(BUILD)) PRA_DEPS=$(DEPS) SAN=$(SAN) tests/run.py soak

test-packages: deb ## install, use, upgrade, remove and purge the packages, also on a new system (debootstrap)
	@packaging/deps/install-packages.sh test
	@packaging/deps/install-packages.sh test-packages
	@PRA_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -p no:cacheprovider -m 'plain_build or soak' tests/flow/test_packages.py

check: packages $(DEPS)/.done ## formatting, static analysis, banned calls, include directions
	@packaging/deps/install-packages.sh test
	@PRA_DEPS=$(DEPS) packaging/check/check.sh

demo: packages $(PROGRAMS) ## a gateway, real servers and a client on this machine, to play with
	@packaging/deps/install-packages.sh demo
	@PRA_BUILD=$(abspath $(BUILD)) tests/demo/demo.sh

bench: packages ## measure PRA beside its peers: ROWS=bulk,latency PATHS=pra,openssh ROUNDS=3 KEEP=1 BEFORE=COMMIT
	@packaging/deps/install-packages.sh test
	@packaging/deps/install-packages.sh bench
	@$(MAKE) --no-print-directory $(PROGRAMS) $(TOOLS)
	@# pra.exe as well (its libraries take minutes, once) where compiler and wine are installed; else its rows are left
	@# out with a word.
	@! command -v $(WIN_CC) >/dev/null || ! [ -x /usr/lib/wine/wine64 ] || $(MAKE) --no-print-directory $(WIN_TPROGRAMS)
	@[ -z '$(BEFORE)' ] || tests/bench/before.sh '$(BEFORE)' $(abspath $(BUILD))/bench/before
	@ROWS='$(ROWS)' PATHS='$(PATHS)' ROUNDS='$(ROUNDS)' KEEP='$(KEEP)' BEFORE='$(if $(BEFORE),$(abspath $(BUILD))/bench/before/build)' PRA_BUILD=$(abspath $(BUILD)) PRA_DEPS=$(DEPS) tests/bench/bench.py

screenshots: packages $(PROGRAMS) $(TPROGRAMS) ## pictures of every window and page, in TO (default: a new folder below /tmp); KEEP=1 keeps those that README.md shows
	@packaging/deps/install-packages.sh test
	@packaging/deps/install-packages.sh screenshots
	@KEEP=$(KEEP) PRA_BUILD=$(abspath $(BUILD)) tests/screenshots.py $(TO)
	@KEEP=$(KEEP) PRA_BUILD=$(abspath $(BUILD)) tests/screenshots_portal.py $(TO)
	@$(MAKE) --no-print-directory installer-screenshots
	@packaging/deps/install-packages.sh test-windows
	@$(MAKE) --no-print-directory tests-windows
	@PRA_BUILD=$(abspath $(BUILD)) tests/screenshots_windows.py $(TO)

# Fuzz targets are compiled whole by clang, so that every line of ours is instrumented.
FUZZ_SRC := $(SRC_common) $(SRC_keys) $(SRC_server) \
            client/control.c client/plan.c client/cause.c server/prad/control_in.c server/prad/enroll_session.c \
            $(filter-out $(addprefix server/portal/,main.c tls.c kdf.c link.c),$(wildcard server/portal/*.c))
FUZZ_FLAGS := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE \
              -DPRA_VERSION='"fuzz"' -DPRA_TEST_PROVIDER -I. $(HEADERS) -std=c11
FUZZ_OBJ := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(FUZZ_SRC))
$(BUILD)/fuzz/%.o: %.c $(STAMP) $(DEPS)/.done
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@
$(BUILD)/fuzz/libfuzzed.a: $(FUZZ_OBJ); $(archive)
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/fuzz/libfuzzed.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) $(TEST_LD) $(WARN) -fsanitize=fuzzer $< $(BUILD)/fuzz/libfuzzed.a -lsqlite3 -levent_extra -levent_core -loath -lqrencode -lz -lseccomp $(LIBS_common) -o $@

# What authenticators say, as pra-passkey reads it: with the libcrypto that libfido2 brings.
$(BUILD)/tests/fuzz/fuzz_passkey: tests/fuzz/fuzz_passkey.c server/passkey/passkey.c $(SRC_common) $(STAMP)
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)
	$(Q)$(CLANG) $(filter-out $(SSH_HEADERS),$(FUZZ_FLAGS)) $(TEST_LD) -fsanitize=fuzzer $(filter %.c,$^) $(LIBS_passkey) -o $@

fuzz-build: $(FUZZ)
fuzz: packages ## run every fuzz target for TIME seconds (60)
	@packaging/deps/install-packages.sh test
	@$(MAKE) --no-print-directory fuzz-build
	@PRA_BUILD=$(abspath $(BUILD)) TIME=$(TIME) tests/fuzz/run.sh

include packaging/windows/programs.mk
include packaging/windows/tray.mk
include packaging/windows/unit.mk
include packaging/windows/installers.mk

# --- the rest ------------------------------------------------------------------------------
install: programs ## install programs, units, desktop entry, manual pages (DESTDIR, PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/libexec
	install -m 0755 $(BUILD)/pra $(DESTDIR)$(PREFIX)/bin/
ifneq ($(TRAY),0)
	install -m 0755 $(BUILD)/pra-tray $(DESTDIR)$(PREFIX)/bin/
endif
	install -m 0755 $(BUILD)/prad $(BUILD)/pra-admin $(BUILD)/pra-portal $(DESTDIR)$(PREFIX)/sbin/
	install -m 0755 $(BUILD)/pra-mailer $(DESTDIR)$(PREFIX)/libexec/pra-mailer
	install -m 0755 $(BUILD)/pra-keyhelper $(DESTDIR)$(PREFIX)/libexec/pra-keyhelper
	install -m 0755 $(BUILD)/pra-passkey $(DESTDIR)$(PREFIX)/libexec/pra-passkey
	TRAY=$(TRAY) packaging/install-extras.sh "$(DESTDIR)" "$(PREFIX)" "$(abspath $(BUILD)/man)"

deb: all ## the packages pra, pra-tray and prad (Debian, Ubuntu) in $(BUILD)/deb
	@packaging/deps/install-packages.sh deb
	@packaging/deb/build.sh $(VERSION) $(BUILD) $(BUILD)/deb

clean: ## remove what was built (the cache of libraries stays)
	rm -rf build build-address build-thread $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
