# make msi, make nsis and their tests (packaging/windows/README.md). Included by the Makefile.

WIN       ?= $(BUILD)/windows
WIN_PRA   ?= $(WIN)/pra.exe
WIN_TRAY  ?= $(WIN)/pra-tray.exe
INSTALLERS := $(WIN)/installers
WINSETUP  := $(WIN)/prasetup.dll

WINSETUP_CC    := x86_64-w64-mingw32-gcc
WINSETUP_FLAGS := -std=c11 -O2 -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
                  -Wformat=2 -Wvla -Werror -DUNICODE -D_UNICODE -D_WIN32_WINNT=0x0A00 -I. \
                  -fstack-protector-strong -static -s -Wl,--dynamicbase,--nxcompat,--high-entropy-va
WINSETUP_LIBS  := -lmsi -ladvapi32 -lshell32 -lole32 -luser32 -luuid -lntdll

.PHONY: installer-screenshots msi nsis test-windows windows-test-tools installer-packages

installer-packages:
	@packaging/deps/install-packages.sh windows
	@packaging/deps/install-packages.sh installers

$(WINSETUP): $(wildcard packaging/windows/setup/*.[ch]) | installer-packages
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(WINSETUP_CC) $(WINSETUP_FLAGS) -shared $(filter %.c,$^) -o $@ $(WINSETUP_LIBS)

# What the tests of the installers need: a program that presses buttons, one that uses a forward, and
# stand-ins for ours.
WINTOOLS := $(WIN)/tests/press.exe $(WIN)/tests/talk.exe $(WIN)/tests/standin-0.0.1.exe $(WIN)/tests/standin-0.0.2.exe
$(WIN)/tests/press.exe: tests/windows/press.c | installer-packages
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(WINSETUP_CC) $(WINSETUP_FLAGS) $< -o $@
$(WIN)/tests/talk.exe: tests/windows/talk.c | installer-packages
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(WINSETUP_CC) $(WINSETUP_FLAGS) $< -o $@ -lws2_32
$(WIN)/tests/standin-%.exe: tests/windows/standin.c | installer-packages
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(WINSETUP_CC) $(WINSETUP_FLAGS) -DSTANDIN_VERSION='"$*"' $< -o $@
windows-test-tools: $(WINSETUP) $(WINTOOLS) $(WIN)/art/pra.ico

$(WIN)/art/pra.ico: packaging/windows/art.py
	$(Q)$(PYTHON) $< $(@D)

package = @VERSION=$(VERSION) PRA=$(WIN_PRA) TRAY=$(WIN_TRAY) SETUP_DLL=$(WINSETUP) SIGN='$(SIGN)' \
          PYTHON=$(PYTHON) packaging/windows/build.sh $@ $(INSTALLERS)

msi: installer-packages $(WIN_PRA) $(WIN_TRAY) $(WINSETUP) ## Windows Installer packages in Japanese and English; SIGN=FILE.p12 or SIGN=test signs
	$(package)

nsis: installer-packages $(WIN_PRA) $(WIN_TRAY) $(WINSETUP) ## the same as one NSIS program for both languages
	$(package)

test-windows: packages installer-packages ## all tests of the Windows client and installers (the installers' short form is in make test)
	@packaging/deps/install-packages.sh test
	@packaging/deps/install-packages.sh test-windows
	@$(MAKE) --no-print-directory tests tests-windows windows-test-tools
	@PRA_BUILD=$(abspath $(BUILD)) PRA_DEPS=$(DEPS) tests/run.py windows-full windows-client-full

installer-screenshots: windows-test-tools
	@packaging/deps/install-packages.sh test-windows
	@PRA_BUILD=$(abspath $(BUILD)) tests/windows/pictures.py $(TO)
