# The windows for Windows: pra-tray.exe, and what its tests drive it with. Included by the Makefile behind
# programs.mk, whose names it uses.

# Drawing needs what the engine's files keep away from their names (NOGDI).
WIN_SRC_tray := $(wildcard client/tray/*_win.c)
$(call wobj,$(WIN_SRC_tray)): WIN_CPPFLAGS := $(filter-out -DNOGDI,$(WIN_CPPFLAGS))
WIN_O_tray   := $(call wobj,$(WIN_SRC_tray) $(filter-out $(WIN_SRC_client),$(SRC_shown))) $(WIN)/obj/pra-tray.res.o $(WIN_LOAD_CONFIG)
WIN_LIBS_tray := -mwindows -municode -lcomctl32 -lcomdlg32 -luxtheme -ldwmapi -loleacc -lgdi32

windows: $(WIN)/pra-tray.exe
tests-windows: $(WIN)/pra-tray.exe $(addprefix $(WIN)/test/,pra-tray.exe windrive.exe fake_agent.exe)

$(WIN)/pra-tray.exe: $(WIN_O_tray) $(WIN_L_client) $(WIN_L_keys) $(WIN_L_common)
	$(call wprogram,$(WIN_LIBS) $(WIN_LIBS_tray),-s)
$(WIN)/test/pra-tray.exe: $(WIN_O_tray) $(WIN_L_tclient) $(WIN_L_tkeys) $(WIN_L_common)
	$(call wprogram,$(WIN_LIBS) $(WIN_LIBS_tray))

$(WIN)/test/obj/tests/windows/windrive.o: WIN_CPPFLAGS := $(filter-out -DNOGDI,$(WIN_CPPFLAGS))
$(WIN)/test/windrive.exe: $(WIN)/test/obj/tests/windows/windrive.o
	$(call wlink,$(WIN_LIBS))
$(WIN)/test/fake_agent.exe: $(WIN)/test/obj/tests/windows/fake_agent.o $(WIN_L_tclient) $(WIN_L_tkeys) $(WIN_L_common)
	$(call wlink,$(WIN_LIBS))
