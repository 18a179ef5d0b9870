/*
 * The custom actions of the MSI. Immediate ones set properties and ask; deferred ones run as SYSTEM
 * and know nothing but CustomActionData. What the installer has to say stands in the tables, so that
 * it is said in the package's language.
 */
#include "packaging/windows/setup/setup.h"

#include <msi.h>
#include <msiquery.h>
#include <wchar.h>

#define ACTION __declspec(dllexport) UINT __stdcall

ACTION PraFindOlder(MSIHANDLE install);
ACTION PraCheckServer(MSIHANDLE install);
ACTION PraRecall(MSIHANDLE install);
ACTION PraAskData(MSIHANDLE install);
ACTION PraCloseClients(MSIHANDLE install);
ACTION PraCheckFolder(MSIHANDLE install);
ACTION PraPrepareData(MSIHANDLE install);
ACTION PraPrepareFolder(MSIHANDLE install);
ACTION PraPurge(MSIHANDLE install);

/* "" if it is not set or too long for anything that we ask for. */
static const wchar_t *property(MSIHANDLE install, const wchar_t *name, wchar_t *out, DWORD chars)
{
    if (MsiGetPropertyW(install, name, out, &chars) != ERROR_SUCCESS)
        out[0] = L'\0';
    return out;
}

static void say(MSIHANDLE install, INSTALLMESSAGE kind, const wchar_t *text)
{
    MSIHANDLE record = MsiCreateRecord(1);

    MsiRecordSetStringW(record, 0, L"[1]");
    MsiRecordSetStringW(record, 1, text);
    MsiProcessMessage(install, kind, record);
    MsiCloseHandle(record);
}

ACTION PraFindOlder(MSIHANDLE install)
{
    wchar_t name[SETUP_TEXT_MAX];

    if (setup_find_older(L"", name))
        MsiSetPropertyW(install, L"OLDERCLIENT", name);
    return ERROR_SUCCESS;
}

/* SERVERBAD, FINGERPRINTBAD, FINGERPRINTALONE = 1: the tables say what is wrong. */
ACTION PraCheckServer(MSIHANDLE install)
{
    wchar_t server[SETUP_TEXT_MAX], fingerprint[SETUP_TEXT_MAX];
    DWORD server_length = ARRAYSIZE(server), length = ARRAYSIZE(fingerprint);
    bool server_ok = MsiGetPropertyW(install, L"SERVER", server, &server_length) == ERROR_SUCCESS &&
                     setup_server_valid(server);
    bool ok = MsiGetPropertyW(install, L"FINGERPRINT", fingerprint, &length) == ERROR_SUCCESS &&
              setup_fingerprint_valid(fingerprint);

    MsiSetPropertyW(install, L"SERVERBAD", server_ok ? L"" : L"1");
    MsiSetPropertyW(install, L"FINGERPRINTBAD", ok ? L"" : L"1");
    MsiSetPropertyW(install, L"FINGERPRINTALONE", server_length == 0 && length > 0 ? L"1" : L"");
    return ERROR_SUCCESS;
}

/* What is installed says where it is and which server it has; a repair changes neither. */
ACTION PraRecall(MSIHANDLE install)
{
    static const struct {
        const wchar_t *key, *value, *property;
    } kept[] = {{L"Software\\PRA", L"Server", L"PraServer"},
                {L"Software\\PRA", L"Fingerprint", L"PraFingerprint"},
                {L"Software\\PRA\\Setup", L"Path", L"INSTALLDIR"}};

    for (size_t i = 0; i < ARRAYSIZE(kept); i++) {
        wchar_t text[SETUP_TEXT_MAX];
        DWORD size = sizeof(text);

        if (RegGetValueW(HKEY_LOCAL_MACHINE, kept[i].key, kept[i].value,
                         RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, text, &size) == ERROR_SUCCESS)
            MsiSetPropertyW(install, kept[i].property, text);
    }
    return ERROR_SUCCESS;
}

/* A13's question where no dialog asks it (/qb, the list of programs). At /qn the answer is no. */
ACTION PraAskData(MSIHANDLE install)
{
    wchar_t text[SETUP_TEXT_MAX], upgrading[64];
    MSIHANDLE record;
    int answer;

    /* wine runs this while a newer package removes this one, whatever the condition says. */
    if (property(install, L"UPGRADINGPRODUCTCODE", upgrading, ARRAYSIZE(upgrading))[0])
        return ERROR_SUCCESS;
    record = MsiCreateRecord(1);
    MsiRecordSetStringW(record, 0, L"[1]");
    MsiRecordSetStringW(record, 1, property(install, L"ASKDATATEXT", text, ARRAYSIZE(text)));
    answer = MsiProcessMessage(
        install, (INSTALLMESSAGE)(INSTALLMESSAGE_USER | MB_YESNO | MB_ICONQUESTION | MB_DEFBUTTON2),
        record);
    MsiCloseHandle(record);
    MsiSetPropertyW(install, L"REMOVEKEYS", answer == IDYES ? L"1" : L"0");
    return ERROR_SUCCESS;
}

/* Immediate (as the user, before files in use are looked for) and deferred (for everybody's). */
ACTION PraCloseClients(MSIHANDLE install)
{
    wchar_t folder[MAX_PATH];

    if (!property(install, L"CustomActionData", folder, ARRAYSIZE(folder))[0])
        property(install, L"INSTALLDIR", folder, ARRAYSIZE(folder));
    if (folder[0] && setup_close_clients(folder) > 0)
        say(install, INSTALLMESSAGE_INFO, L"PRA: a running client could not be ended");
    return ERROR_SUCCESS;
}

ACTION PraPrepareData(MSIHANDLE install)
{
    wchar_t text[SETUP_TEXT_MAX];
    DWORD rc = setup_prepare_data();

    if (rc == ERROR_SUCCESS)
        return ERROR_SUCCESS;
    _snwprintf(text, ARRAYSIZE(text), L"PRA: the folder for logs cannot be secured (error %lu)",
               rc);
    say(install, INSTALLMESSAGE_ERROR, text);
    return ERROR_INSTALL_FAILURE;
}

/* FOLDERBAD = 1: the tables say so. */
ACTION PraCheckFolder(MSIHANDLE install)
{
    wchar_t folder[MAX_PATH];

    property(install, L"INSTALLDIR", folder, ARRAYSIZE(folder));
    MsiSetPropertyW(install, L"FOLDERBAD", setup_folder_fits(folder) ? L"" : L"1");
    return ERROR_SUCCESS;
}

/* CustomActionData: the folder, and before it "+" where an older version has gone or PRA stays. */
ACTION PraPrepareFolder(MSIHANDLE install)
{
    wchar_t data[MAX_PATH + 1], text[SETUP_TEXT_MAX];
    bool upgrade;
    DWORD rc;

    upgrade = property(install, L"CustomActionData", data, ARRAYSIZE(data))[0] == L'+';
    rc = setup_prepare_folder(data + upgrade, upgrade);
    if (rc == ERROR_SUCCESS)
        return ERROR_SUCCESS;
    _snwprintf(text, ARRAYSIZE(text), L"PRA: the folder for programs cannot be secured (error %lu)",
               rc);
    say(install, INSTALLMESSAGE_ERROR, text);
    return ERROR_INSTALL_FAILURE;
}

/* On commit: keys go when the removal has succeeded, and never before. */
ACTION PraPurge(MSIHANDLE install)
{
    if (setup_purge() > 0)
        say(install, INSTALLMESSAGE_WARNING, L"PRA: some keys or logs could not be deleted");
    return ERROR_SUCCESS;
}
