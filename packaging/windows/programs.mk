# make windows: the programs for Windows, by mingw-w64, each one file without DLLs of its own.
# Included by the Makefile.

WIN     ?= $(BUILD)/windows
WIN_CC  := x86_64-w64-mingw32-gcc
WIN_RC  := x86_64-w64-mingw32-windres
WDEPS   := $(shell packaging/deps/windows.sh --prefix)

# Signs of conversions are checked by the build for Linux: a SOCKET is unsigned where a descriptor is an int.
WIN_CPPFLAGS := -D_GNU_SOURCE -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -D_WIN32_WINNT=0x0A00 \
                -DWIN32_LEAN_AND_MEAN -DNOGDI -DPRA_VERSION='"$(VERSION)"' -I. -Icommon/win \
                -isystem $(WDEPS)/include -include common/posix_win.h
WIN_CFLAGS   := -std=c11 -O2 -g -fno-omit-frame-pointer -fstack-protector-strong $(WARN) -Wno-sign-conversion
WIN_LDFLAGS  := -static -fstack-protector -Wl,--dynamicbase,--nxcompat,--high-entropy-va
WIN_LIBS     := $(addprefix $(WDEPS)/lib/lib,$(addsuffix .a,ssh2 uv z jansson inih crypto)) \
                -lws2_32 -lcrypt32 -lbcrypt -ladvapi32 -luser32 -liphlpapi -luserenv -ldbghelp -lole32 \
                -lshell32 -luuid -lpthread

posix := %_posix.c %_linux.c
WIN_SRC_common := $(filter-out $(posix),$(wildcard common/*.c))
WIN_SRC_keys   := $(filter-out $(posix),$(wildcard keys/*.c))
WIN_SRC_client := $(filter-out client/main.c $(posix),$(wildcard client/*.c)) $(SRC_shown)

wobj  = $(patsubst %.c,$(WIN)/obj/%.o,$(1))
wtobj = $(patsubst %.c,$(WIN)/test/obj/%.o,$(1))

WIN_L_common  := $(WIN)/lib/libcommon.a
WIN_L_keys    := $(WIN)/lib/libkeys.a
WIN_L_tkeys   := $(WIN)/test/lib/libkeys.a
WIN_L_client  := $(WIN)/lib/libclient.a
WIN_L_tclient := $(WIN)/test/lib/libclient.a

WIN_PROGRAMS  := $(WIN)/pra.exe
WIN_TPROGRAMS := $(WIN)/test/pra.exe $(WIN)/tests/agent_call.exe

.PHONY: windows deps-windows tests-windows

$(WDEPS)/.done:
	@packaging/deps/install-packages.sh windows
	packaging/deps/windows.sh build

deps-windows: packages $(WDEPS)/.done ## the libraries of the Windows client, by mingw-w64, into the cache

WIN_STAMP := $(WIN)/deps-prefix
$(shell mkdir -p $(WIN); echo $(WDEPS) | cmp -s - $(WIN_STAMP) || echo $(WDEPS) >$(WIN_STAMP))

$(WIN)/obj/%.o: %.c $(WIN_STAMP) $(WDEPS)/.done
	@mkdir -p $(@D)
	$(call say,WCC,$<)
	$(Q)$(WIN_CC) $(WIN_CPPFLAGS) $(WIN_CFLAGS) -MMD -MP -c $< -o $@

# With the provider that feeds whole machines to tests, as on Linux; and with what wine needs.
$(WIN)/test/obj/%.o: %.c $(WIN_STAMP) $(WDEPS)/.done
	@mkdir -p $(@D)
	$(call say,WCC,$< for tests)
	$(Q)$(WIN_CC) $(WIN_CPPFLAGS) -DPRA_TEST_PROVIDER $(WIN_CFLAGS) -MMD -MP -c $< -o $@

define warchive
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,WAR,$@)
	$(Q)x86_64-w64-mingw32-ar rcs $@ $^
endef
$(WIN_L_common):  $(call wobj,$(WIN_SRC_common)); $(warchive)
$(WIN_L_keys):    $(call wobj,$(WIN_SRC_keys));   $(warchive)
$(WIN_L_tkeys):   $(call wtobj,$(WIN_SRC_keys));  $(warchive)
$(WIN_L_client):  $(call wobj,$(WIN_SRC_client)); $(warchive)
$(WIN_L_tclient): $(call wtobj,client/sockdiag_win.c) \
                  $(call wobj,$(filter-out client/sockdiag_win.c,$(WIN_SRC_client))); $(warchive)

WIN_LOAD_CONFIG := $(call wobj,packaging/windows/load_config.c)

# wlink LIBRARIES FLAGS: a program of the objects, archives and resources that it depends on.
define wlink
	@mkdir -p $(@D)
	$(call say,WLINK,$@)
	$(Q)$(WIN_CC) $(WIN_LDFLAGS) $(2) $(filter %.o,$^) $(filter %.a,$^) $(1) -o $@
endef

# What we hand out; the name is that of a finished program.
define wprogram
	@mkdir -p $(@D)
	$(call say,WLINK,$@)
	$(Q)$(WIN_CC) $(WIN_LDFLAGS) $(2) $(filter %.o,$^) $(filter %.a,$^) $(1) -o $@.new
	$(Q)$(PYTHON) packaging/windows/load_config.py $@.new
	$(Q)mv $@.new $@
endef

# Version, icon and manifest of NAME.exe.
$(WIN)/obj/%.res.o: packaging/windows/program.rc packaging/windows/program.manifest $(WIN)/art/pra.ico Makefile \
                    | $(WDEPS)/.done
	@mkdir -p $(@D)
	$(call say,WRC,$@)
	$(Q)$(WIN_RC) -c 65001 -DNAME=$* -DVERSION_WORDS=$(subst .,$(comma),$(VERSION)),0 \
	    -DVERSION_TEXT=$(VERSION) -I packaging/windows -I $(WIN)/art $< $@
comma := ,

$(WIN)/pra.exe: $(call wobj,client/main.c) $(WIN_LOAD_CONFIG) $(WIN)/obj/pra.res.o $(WIN_L_client) $(WIN_L_keys) $(WIN_L_common)
	$(call wprogram,$(WIN_LIBS),-s)
$(WIN)/test/pra.exe: $(call wobj,client/main.c) $(WIN_LOAD_CONFIG) $(WIN)/obj/pra.res.o $(WIN_L_tclient) $(WIN_L_tkeys) $(WIN_L_common)
	$(call wprogram,$(WIN_LIBS))
$(WIN)/tests/agent_call.exe: $(call wobj,tests/windows/agent_call.c) $(WIN_L_client) $(WIN_L_keys) $(WIN_L_common)
	$(call wlink,$(WIN_LIBS))

windows: packages $(WDEPS)/.done $(WIN_PROGRAMS) ## the client for Windows, cross-built: pra.exe and pra-tray.exe
tests-windows: $(WIN_PROGRAMS) $(WIN_TPROGRAMS)
