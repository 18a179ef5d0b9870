; The NSIS installer: one program for both languages, for those who hand out no MSI. It does what the
; MSI does, and removing asks A13's question itself.
;
;   /S silent   /SERVER=host[:port]   /FINGERPRINT=SHA256:...   /AUTOSTART=0   /DESKTOP=1
;   /LANG=1041|1033   /D=folder (last, without quotes)
;   Uninstall.exe /S [/REMOVEKEYS=1]
;
; Exit codes: 0 done, 1 cancelled, 2 failed, 3 refused (older or newer version, bad value).

; First of all: the default is a 32-bit program, and its registry and folders are others.
Target amd64-unicode
!ifdef QUICK
SetCompressor zlib
!else
SetCompressor /SOLID lzma
!endif
ManifestDPIAware true
ManifestSupportedOS Win10
RequestExecutionLevel admin

!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include WordFunc.nsh
!include WinVer.nsh
!include nsDialogs.nsh

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\PRA"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define OURS "Software\PRA"
!define REFUSED 3

Name "PRA"
OutFile "${OUT}"
InstallDir "$PROGRAMFILES64\PRA"
InstallDirRegKey HKLM "${OURS}\Setup" "Path"
BrandingText "PRA ${VERSION}"
InstallButtonText "$(install)"
UninstallButtonText "$(uninstall)"
MiscButtonText "$(back)" "$(next)" "$(cancel)" "$(close)"
ShowInstDetails nevershow
ShowUninstDetails nevershow

VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "PRA"
VIAddVersionKey "FileDescription" "PRA Setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "Apache-2.0"

Var Older
Var Server
Var Fingerprint
Var Autostart
Var OnDesktop
Var Again     ; this very version is installed already
Var RemoveKeys
Var Control1
Var Control2

!ifdef SIGN
!uninstfinalize '${SIGN} "%1"'
!endif

; --- pages --------------------------------------------------------------------------------------
!define MUI_ICON "${ART}\pra.ico"
!define MUI_UNICON "${ART}\pra.ico"
!define MUI_WELCOMEFINISHPAGE_BITMAP "${ART}\welcome.bmp"
!define MUI_HEADERIMAGE
!define MUI_HEADERIMAGE_RIGHT
!define MUI_HEADERIMAGE_BITMAP "${ART}\header.bmp"
!define MUI_HEADERIMAGE_UNBITMAP "${ART}\header.bmp"
!define MUI_ABORTWARNING
!define MUI_CUSTOMFUNCTION_GUIINIT Begin

!define MUI_WELCOMEPAGE_TITLE "$(welcome_head)"
!define MUI_WELCOMEPAGE_TEXT "$(welcome_text)"
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipIfAgain
!insertmacro MUI_PAGE_WELCOME
Page custom MaintainPage MaintainLeave
!define MUI_LICENSEPAGE_RADIOBUTTONS
!define MUI_LICENSEPAGE_RADIOBUTTONS_TEXT_ACCEPT "$(accept)"
!define MUI_LICENSEPAGE_RADIOBUTTONS_TEXT_DECLINE "$(reject)"
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipIfAgain
!insertmacro MUI_PAGE_LICENSE "${LICENCE}"
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipIfAgain
!insertmacro MUI_PAGE_DIRECTORY
Page custom OptionsPage OptionsLeave
Page custom ServerPage ServerLeave
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_TITLE "$(done_head)"
!define MUI_FINISHPAGE_TEXT "$(done_installed)"
!define MUI_FINISHPAGE_BUTTON "$(close)"
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_TEXT "$(launch)"
!define MUI_FINISHPAGE_RUN_FUNCTION Launch
!insertmacro MUI_PAGE_FINISH

!define MUI_UNCONFIRMPAGE_TEXT_TOP "$(uninstall_text)"
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES

; The first one is taken where Windows speaks neither.
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "Japanese"
!include "${TEXTS}"

; --- our library (setup/) -----------------------------------------------------------------------
; What people type goes to it by the stack: System::Call reads its own sentence anew, and stumbles over
; a quote in one of its words.
!macro Library
    InitPluginsDir
    File "/oname=$PLUGINSDIR\prasetup.dll" "${SETUP_DLL}"
!macroend

; ${Option} NAME variable default: what the command line says behind /NAME=, else the default.
!macro Option name variable default
    System::Call '$PLUGINSDIR\prasetup.dll::pra_option(w "${name}", w .s) i .r9'
    Pop ${variable}
    ${If} $9 = 0
        StrCpy ${variable} "${default}"
    ${EndIf}
!macroend
!define Option "!insertmacro Option"

; ${Refuse} sentence: said (silently too, by the exit code), then the end.
!macro Refuse sentence
    MessageBox MB_OK|MB_ICONSTOP "${sentence}" /SD IDOK
    SetErrorLevel ${REFUSED}
    Quit
!macroend
!define Refuse "!insertmacro Refuse"

Function CheckValues
    ; $0 = what to say, "" if all is well
    StrCpy $0 ""
    Push "$Server"
    System::Call '$PLUGINSDIR\prasetup.dll::pra_server_valid(w s) i .r1'
    Push "$Fingerprint"
    System::Call '$PLUGINSDIR\prasetup.dll::pra_fingerprint_valid(w s) i .r2'
    ${If} $1 = 0
        StrCpy $0 "$(server_bad)"
    ${ElseIf} $2 = 0
        StrCpy $0 "$(fingerprint_bad)"
    ${ElseIf} $Fingerprint != ""
    ${AndIf} $Server == ""
        StrCpy $0 "$(fingerprint_alone)"
    ${EndIf}
FunctionEnd

; What an earlier installation was told counts unless the command line says otherwise. A remembered
; fingerprint belongs to the remembered server only.
Function ReadChoices
    ReadRegStr $R1 HKLM "${OURS}" "Server"
    ReadRegStr $R2 HKLM "${OURS}" "Fingerprint"
    ${Option} "SERVER" $Server $R1
    ${If} $Server == $R1
        ${Option} "FINGERPRINT" $Fingerprint $R2
    ${Else}
        ${Option} "FINGERPRINT" $Fingerprint ""
    ${EndIf}

    StrCpy $R0 1
    ReadRegStr $R1 HKLM "${OURS}" "Autostart"
    ${If} $R1 == "on"
        StrCpy $R0 0
    ${EndIf}
    ${Option} "AUTOSTART" $Autostart $R0
    StrCpy $R0 0
    ReadRegStr $R1 HKLM "${OURS}" "Desktop"
    ${If} $R1 == "on1"
        StrCpy $R0 1
    ${EndIf}
    ${Option} "DESKTOP" $OnDesktop $R0
FunctionEnd

; Everything that ends the installation before it begins.
Function Checks
    ${IfNot} ${AtLeastWin10}
        ${Refuse} "$(windows_old)"
    ${EndIf}
    UserInfo::GetAccountType
    Pop $0
    ${If} $0 != "admin"
        ${Refuse} "$(not_admin)"
    ${EndIf}
    System::Call '$PLUGINSDIR\prasetup.dll::pra_find_older(w "PRA", w .s) i .r0'
    Pop $Older
    ${If} $0 <> 0
        ${Refuse} "$(older)"
    ${EndIf}
    ReadRegStr $0 HKLM "${UNINSTALL}" "DisplayVersion"
    ${If} $0 != ""
        ${VersionCompare} "$0" "${VERSION}" $1
        ${If} $1 = 1
            ${Refuse} "$(newer)"
        ${ElseIf} $1 = 0
            StrCpy $Again 1
        ${EndIf}
    ${EndIf}
    Call ReadChoices
    Call CheckValues
    ${If} $0 != ""
        ${Refuse} "$0"
    ${EndIf}
FunctionEnd

Function .onInit
    SetRegView 64
    SetShellVarContext all
    !insertmacro Library
    ${Option} "LANG" $LANGUAGE $LANGUAGE
    ${If} ${Silent}
        Call Checks
    ${EndIf}
FunctionEnd

; The language that was asked for holds from here on, and not in .onInit.
Function Begin
    Call Checks
FunctionEnd

; --- pages of our own ---------------------------------------------------------------------------
Function SkipIfAgain
    ${If} $Again = 1
        Abort
    ${EndIf}
FunctionEnd

; A13: run again, it offers to remove.
Function MaintainPage
    ${If} $Again <> 1
        Abort
    ${EndIf}
    !insertmacro MUI_HEADER_TEXT "$(maintain_head)" "$(maintain_sub)"
    nsDialogs::Create 1018
    Pop $0
    ${NSD_CreateRadioButton} 0 20u 100% 14u "$(repair)"
    Pop $Control1
    ${NSD_CreateRadioButton} 0 40u 100% 14u "$(remove)"
    Pop $Control2
    ${NSD_Check} $Control2
    GetDlgItem $0 $HWNDPARENT 1
    SendMessage $0 ${WM_SETTEXT} 0 "STR:$(finish)"
    nsDialogs::Show
FunctionEnd

Function MaintainLeave
    ${NSD_GetState} $Control2 $0
    ${If} $0 = ${BST_CHECKED}
        HideWindow
        ReadRegStr $0 HKLM "${OURS}\Setup" "Path"
        ExecWait '"$0\Uninstall.exe" /LANG=$LANGUAGE _?=$0' $1
        ${If} $1 = 0
            Delete "$0\Uninstall.exe"
            RMDir "$0"
        ${EndIf}
        SetErrorLevel $1
        Quit
    ${EndIf}
FunctionEnd

Function OptionsPage
    ${If} $Again = 1
        Abort
    ${EndIf}
    !insertmacro MUI_HEADER_TEXT "$(options_head)" "$(options_sub)"
    nsDialogs::Create 1018
    Pop $0
    ${NSD_CreateCheckBox} 0 20u 100% 14u "$(autostart)"
    Pop $Control1
    ${NSD_CreateCheckBox} 0 40u 100% 14u "$(desktop)"
    Pop $Control2
    ${NSD_CreateLabel} 0 70u 100% 30u "$(always)"
    Pop $0
    ${NSD_SetState} $Control1 $Autostart
    ${NSD_SetState} $Control2 $OnDesktop
    nsDialogs::Show
FunctionEnd

Function OptionsLeave
    ${NSD_GetState} $Control1 $Autostart
    ${NSD_GetState} $Control2 $OnDesktop
FunctionEnd

Function ServerPage
    ${If} $Again = 1
        Abort
    ${EndIf}
    !insertmacro MUI_HEADER_TEXT "$(server_head)" "$(server_sub)"
    nsDialogs::Create 1018
    Pop $0
    ${NSD_CreateLabel} 0 6u 100% 10u "$(server)"
    Pop $0
    ${NSD_CreateText} 0 18u 100% 13u "$Server"
    Pop $Control1
    ${NSD_SetTextLimit} $Control1 260
    ${NSD_CreateLabel} 0 34u 100% 20u "$(server_hint)"
    Pop $0
    ${NSD_CreateLabel} 0 64u 100% 10u "$(fingerprint)"
    Pop $0
    ${NSD_CreateText} 0 76u 100% 13u "$Fingerprint"
    Pop $Control2
    ${NSD_SetTextLimit} $Control2 80
    ${NSD_CreateLabel} 0 92u 100% 20u "$(fingerprint_hint)"
    Pop $0
    ${NSD_SetFocus} $Control1
    nsDialogs::Show
FunctionEnd

Function ServerLeave
    ${NSD_GetText} $Control1 $Server
    ${NSD_GetText} $Control2 $Fingerprint
    Call CheckValues
    ${If} $0 != ""
        MessageBox MB_OK|MB_ICONEXCLAMATION "$0"
        Abort
    ${EndIf}
FunctionEnd

; As the person at the PC, not as the administrator that the installer runs as.
Function Launch
    Exec '"$WINDIR\explorer.exe" "$INSTDIR\pra-tray.exe"'
FunctionEnd

; --- installing ---------------------------------------------------------------------------------
Section "PRA"
    Push "$INSTDIR"
    System::Call '$PLUGINSDIR\prasetup.dll::pra_close_clients(w s) i .r0'
    Push "$INSTDIR"
    System::Call '$PLUGINSDIR\prasetup.dll::pra_prepare_folder(w s) i .r0'
    ${If} $0 <> 0
        ${Refuse} "$(folder_bad)"
    ${EndIf}
    System::Call '$PLUGINSDIR\prasetup.dll::pra_prepare_data() i .r0'
    ${If} $0 <> 0
        MessageBox MB_OK|MB_ICONSTOP "$(data_error)" /SD IDOK
        SetErrorLevel 2
        Quit
    ${EndIf}

    SetOutPath "$INSTDIR"
    File "/oname=pra.exe" "${PRA}"
    File "/oname=pra-tray.exe" "${TRAY}"
    File "/oname=LICENSE.txt" "${LICENCE}"
    WriteUninstaller "$INSTDIR\Uninstall.exe"

    WriteRegStr HKLM "${OURS}\Setup" "Path" "$INSTDIR"
    ${If} $Server != ""
        WriteRegStr HKLM "${OURS}" "Server" "$Server"
        WriteRegStr HKLM "${OURS}" "Fingerprint" "$Fingerprint"
    ${EndIf}
    WriteRegStr HKLM "Software\Classes\.pra" "" "PRA.Profile"
    WriteRegStr HKLM "Software\Classes\PRA.Profile" "" "$(profile)"
    WriteRegStr HKLM "Software\Classes\PRA.Profile\DefaultIcon" "" "$INSTDIR\pra-tray.exe,0"
    WriteRegStr HKLM "Software\Classes\PRA.Profile\shell\open\command" "" '"$INSTDIR\pra-tray.exe" "%1"'

    CreateShortCut "$SMPROGRAMS\PRA.lnk" "$INSTDIR\pra-tray.exe" "" "" "" "" "" "$(shortcut)"
    ${If} $OnDesktop = 1
        CreateShortCut "$DESKTOP\PRA.lnk" "$INSTDIR\pra-tray.exe" "" "" "" "" "" "$(shortcut)"
        WriteRegStr HKLM "${OURS}" "Desktop" "on1"
    ${Else}
        Delete "$DESKTOP\PRA.lnk"
        WriteRegStr HKLM "${OURS}" "Desktop" "on"
    ${EndIf}
    ${If} $Autostart = 1
        WriteRegStr HKLM "${RUN}" "PRA" '"$INSTDIR\pra-tray.exe" --autostart'
        WriteRegStr HKLM "${OURS}" "Autostart" "on1"
    ${Else}
        DeleteRegValue HKLM "${RUN}" "PRA"
        WriteRegStr HKLM "${OURS}" "Autostart" "on"
    ${EndIf}
    Push "$INSTDIR"
    System::Call '$PLUGINSDIR\prasetup.dll::pra_path(w s, i 1) i .r0'

    WriteRegStr HKLM "${UNINSTALL}" "DisplayName" "PRA"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKLM "${UNINSTALL}" "Publisher" "PRA"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayIcon" "$INSTDIR\pra-tray.exe,0"
    WriteRegStr HKLM "${UNINSTALL}" "InstallLocation" "$INSTDIR"
    WriteRegStr HKLM "${UNINSTALL}" "UninstallString" '"$INSTDIR\Uninstall.exe" /LANG=$LANGUAGE'
    WriteRegStr HKLM "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\Uninstall.exe" /S'
    WriteRegDWORD HKLM "${UNINSTALL}" "NoModify" 1
    WriteRegDWORD HKLM "${UNINSTALL}" "NoRepair" 1
    ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
    WriteRegDWORD HKLM "${UNINSTALL}" "EstimatedSize" $0
SectionEnd

; --- removing -----------------------------------------------------------------------------------
Function un.onInit
    SetRegView 64
    SetShellVarContext all
    !insertmacro Library
    ${Option} "LANG" $LANGUAGE $LANGUAGE
FunctionEnd

Section "Uninstall"
    ; A13: no is the default, silently too.
    ${Option} "REMOVEKEYS" $RemoveKeys "ask"
    ${If} $RemoveKeys == "ask"
        StrCpy $RemoveKeys 0
        MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(ask_data)$\r$\n$\r$\n$(ask_data_note)" /SD IDNO IDNO keep
        StrCpy $RemoveKeys 1
    keep:
    ${EndIf}

    Push "$INSTDIR"
    System::Call '$PLUGINSDIR\prasetup.dll::pra_close_clients(w s) i .r0'
    Push "$INSTDIR"
    System::Call '$PLUGINSDIR\prasetup.dll::pra_path(w s, i 0) i .r0'
    Delete "$SMPROGRAMS\PRA.lnk"
    Delete "$DESKTOP\PRA.lnk"
    DeleteRegValue HKLM "${RUN}" "PRA"
    DeleteRegKey HKLM "Software\Classes\PRA.Profile"
    ReadRegStr $0 HKLM "Software\Classes\.pra" ""
    ${If} $0 == "PRA.Profile"
        DeleteRegKey HKLM "Software\Classes\.pra"
    ${EndIf}
    Delete "$INSTDIR\pra.exe"
    Delete "$INSTDIR\pra-tray.exe"
    Delete "$INSTDIR\LICENSE.txt"
    Delete "$INSTDIR\Uninstall.exe"
    RMDir "$INSTDIR"
    DeleteRegKey HKLM "${UNINSTALL}"
    DeleteRegKey HKLM "${OURS}\Setup"
    ${If} $RemoveKeys = 1
        System::Call '$PLUGINSDIR\prasetup.dll::pra_purge() i .r0'
        ${If} $0 <> 0
            MessageBox MB_OK|MB_ICONEXCLAMATION "$(purge_error)" /SD IDOK
            SetErrorLevel 2
        ${EndIf}
    ${EndIf}
SectionEnd
