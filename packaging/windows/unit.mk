# Unit tests as programs for Windows, run under wine (tests/run.py windows-unit). Included by the Makefile behind
# programs.mk, whose names it uses.
#
# Those of files that are compiled for both systems. What is left out, and why:
#   common/os, common/secmem, client/ipc, client/paths, client/sock, client/sockdiag, keys/keyhelper,
#   keys/machine, client/check_netinfo, client/watchers
#       of *_posix.c and *_linux.c: files, folders and descriptors of Linux; what Windows has in their place is
#       tested by tests/flow and tests/windows with the real programs
#   keys/key_pages     reads what Linux says of pages
#   client/forward     asks sock_diag for programs that it forks
#   client/archive, client/collect, keys/sshkey
#       give their files to unzip and ssh-keygen, programs of Linux
#   keys/store         kills programs between two writes, and asks for links and modes of Linux
WIN_UNIT_NAMES := $(addprefix common/test_,addr conf crypto jsonl msg pac profile text) \
                  $(addprefix keys/test_,binding format keyfile machine_tables passphrase) \
                  $(addprefix client/test_,check_report cli_text config namewatch plan proxy retry \
                    session_control session_hostkey spread tray_state tray_words)
WIN_UNIT := $(patsubst %,$(WIN)/tests/unit/%.exe,$(WIN_UNIT_NAMES))
WCMOCKA  := $(shell packaging/deps/cmocka-windows.sh --prefix)

$(WCMOCKA)/.done:
	@packaging/deps/install-packages.sh windows
	packaging/deps/cmocka-windows.sh build

# tests/unit/win: what the tests themselves use of POSIX. Their words for printf() are cmocka's own.
$(WIN)/test/obj/tests/unit/%.o: WIN_CPPFLAGS += -Itests/unit/win -isystem $(WCMOCKA)/include \
                                                -include tests/unit/win/posix.h
$(call wtobj,$(patsubst %,tests/unit/%.c,$(WIN_UNIT_NAMES))): $(WCMOCKA)/.done

$(WIN)/tests/unit/%.exe: $(WIN)/test/obj/tests/unit/%.o $(WIN_L_tclient) $(WIN_L_tkeys) $(WIN_L_common)
	$(call wlink,$(WCMOCKA)/lib/libcmocka.a $(WIN_LIBS))

tests-windows: $(WIN_UNIT)
