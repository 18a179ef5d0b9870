"""The dialogs of the MSI (A1, A13) as rows of its tables.

Sizes are installer units (a twelfth of the system font's height). One class holds the rows; one
function makes one page. Buttons are linked in a ring, which is the order of the Tab key.
"""

from texts import ACTIONS, FONTS, LANGUAGES, text

WIDTH, HEIGHT = 370, 270
BUTTON_W, BUTTON_H, BUTTON_Y = 72, 17, 243
BACK_X, NEXT_X, CANCEL_X = 138, 212, 290
LEFT, RIGHT = 20, 350

VISIBLE, ENABLED, SUNKEN, INDIRECT = 1, 2, 4, 8
CLEAR, NO_PREFIX = 0x10000, 0x20000
MODAL, MINIMIZE, TRACK_DISK = 2, 4, 32
PROGRESS_95, HAS_BORDER = 0x10000, 0x1000000

SCHEMAS = {
    "Dialog": ("Dialog", "Dialog:s72 HCentering:i2 VCentering:i2 Width:i2 Height:i2 Attributes:I4 Title:L128 "
               "Control_First:s50 Control_Default:S50 Control_Cancel:S50"),
    "Control": ("Dialog_ Control", "Dialog_:s72 Control:s50 Type:s20 X:i2 Y:i2 Width:i2 Height:i2 Attributes:I4 "
                "Property:S50 Text:L0 Control_Next:S50 Help:L50"),
    "ControlCondition": ("Dialog_ Control_ Action Condition",
                         "Dialog_:s72 Control_:s50 Action:s50 Condition:s255"),
    "ControlEvent": ("Dialog_ Control_ Event Argument Condition",
                     "Dialog_:s72 Control_:s50 Event:s50 Argument:s255 Condition:S255 Ordering:I2"),
    "EventMapping": ("Dialog_ Control_ Event", "Dialog_:s72 Control_:s50 Event:s50 Attribute:s50"),
    "TextStyle": ("TextStyle", "TextStyle:s72 FaceName:s32 Size:i2 Color:I4 StyleBits:I2"),
    "RadioButton": ("Property Order", "Property:s72 Order:i2 Value:s64 X:i2 Y:i2 Width:i2 Height:i2 Text:L64 Help:L50"),
    "CheckBox": ("Property", "Property:s72 Value:S64"),
    "UIText": ("Key", "Key:s72 Text:L255"),
    "ActionText": ("Action", "Action:s72 Description:L64 Template:L128"),
}


class Pages:
    """Rows by table. A control is a list so that its place in the ring can still be set."""

    def __init__(self, lang, version, licence):
        self.lang, self.version, self.licence = lang, version, licence
        self.rows = {name: [] for name in SCHEMAS}

    def say(self, key):
        return text(key, self.lang).replace("{version}", self.version).replace("\n", "\r\n")

    def dialog(self, name, first, default, cancel, width=WIDTH, height=HEIGHT, attributes=None):
        self.name = name
        if attributes is None:
            attributes = VISIBLE | MODAL | MINIMIZE | TRACK_DISK
        self.rows["Dialog"].append([name, 50, 50, width, height, attributes, self.say("title"), first,
                                    default, cancel])

    def control(self, name, kind, x, y, w, h, text="", prop="", attributes=VISIBLE | ENABLED):
        self.rows["Control"].append([self.name, name, kind, x, y, w, h, attributes, prop, text, "", ""])

    def label(self, name, x, y, w, h, key, style="", attributes=VISIBLE | ENABLED | CLEAR | NO_PREFIX):
        self.control(name, "Text", x, y, w, h, style + self.say(key), attributes=attributes)

    def event(self, control, event, argument, condition="1"):
        rows = self.rows["ControlEvent"]
        order = 1 + sum(r[0] == self.name and r[1] == control for r in rows)
        rows.append([self.name, control, event, argument, condition, order])

    def condition(self, control, action, condition):
        self.rows["ControlCondition"].append([self.name, control, action, condition])

    def button(self, name, x, key, y=BUTTON_Y, width=BUTTON_W):
        self.control(name, "PushButton", x, y, width, BUTTON_H, self.say(key))

    def ring(self, *names):
        """The Tab key goes through `names` and begins again."""
        following = dict(zip(names, names[1:] + names[:1]))
        for row in self.rows["Control"]:
            if row[0] == self.name and row[1] in following:
                row[10] = following[row[1]]

    # --- what several pages share ---------------------------------------------------------------
    def bottom(self):
        self.control("Line", "Line", 0, 234, WIDTH, 0, attributes=VISIBLE)

    def head(self, key):
        self.control("Banner", "Bitmap", 0, 0, WIDTH, 48, "PraBanner", attributes=VISIBLE)
        self.label("Head", 15, 5, 290, 13, f"{key}_head", r"{\PraBold}")
        self.label("Sub", 22, 19, 285, 26, f"{key}_sub")
        self.bottom()

    def cover(self, head, body):
        """The pages at both ends: sign at the left, text at the right."""
        self.control("Side", "Bitmap", 0, 0, WIDTH, 234, "PraSide", attributes=VISIBLE)
        self.label("Head", 135, 20, 225, 40, head, r"{\PraBig}")
        self.label("Body", 135, 70, 225, 110, body)
        self.bottom()

    def cancel_button(self):
        self.button("Cancel", CANCEL_X, "cancel")
        self.event("Cancel", "SpawnDialog", "CancelDlg")

    def walk(self, back, following, key="next"):
        """Back, Next and Cancel."""
        if back:
            self.button("Back", BACK_X, "back")
            self.event("Back", "NewDialog", back)
        self.button("Next", NEXT_X, key)
        if following:
            self.event("Next", "NewDialog", following)
        self.cancel_button()


def welcome(p):
    p.dialog("WelcomeDlg", "Next", "Next", "Cancel")
    p.cover("welcome_head", "welcome_text")
    p.walk(None, "LicenceDlg")
    p.ring("Next", "Cancel")


def licence(p):
    p.dialog("LicenceDlg", "Accepted", "Next", "Cancel")
    p.head("licence")
    p.control("Text", "ScrollableText", LEFT, 54, 330, 138, p.licence, attributes=7)
    p.control("Accepted", "RadioButtonGroup", LEFT, 198, 330, 34, prop="LicenceAccepted")
    p.rows["RadioButton"] += [["LicenceAccepted", 1, "Yes", 0, 0, 320, 15, p.say("accept"), ""],
                              ["LicenceAccepted", 2, "No", 0, 17, 320, 15, p.say("reject"), ""]]
    p.walk("WelcomeDlg", None)
    p.event("Next", "NewDialog", "OptionsDlg", 'LicenceAccepted = "Yes"')
    p.condition("Next", "Disable", 'LicenceAccepted <> "Yes"')
    p.condition("Next", "Enable", 'LicenceAccepted = "Yes"')
    p.ring("Accepted", "Text", "Back", "Next", "Cancel")


def options(p):
    p.dialog("OptionsDlg", "Next", "Next", "Cancel")
    p.head("options")
    p.label("FolderLabel", LEFT, 58, 330, 11, "folder", attributes=VISIBLE | ENABLED)
    p.control("Folder", "PathEdit", LEFT, 71, 250, 17, prop="PRA_FOLDER", attributes=VISIBLE | ENABLED | INDIRECT)
    p.control("Change", "PushButton", 278, 71, 72, BUTTON_H, p.say("change"))
    p.event("Change", "[_BrowseProperty]", "[PRA_FOLDER]")
    p.event("Change", "SpawnDialog", "BrowseDlg")
    p.control("Autostart", "CheckBox", LEFT, 108, 330, 17, p.say("autostart"), "AUTOSTART")
    p.control("Desktop", "CheckBox", LEFT, 128, 330, 17, p.say("desktop"), "DESKTOP")
    p.rows["CheckBox"] += [["AUTOSTART", "1"], ["DESKTOP", "1"], ["LAUNCHPRA", "1"]]
    p.label("Always", LEFT, 158, 330, 30, "always")
    p.walk("LicenceDlg", None)
    p.event("Next", "SetTargetPath", "[PRA_FOLDER]")
    p.event("Next", "NewDialog", "ServerDlg")
    p.ring("FolderLabel", "Folder", "Change", "Autostart", "Desktop", "Back", "Next", "Cancel")


def server(p):
    p.dialog("ServerDlg", "Server", "Next", "Cancel")
    p.head("server")
    p.label("ServerLabel", LEFT, 60, 330, 11, "server", attributes=VISIBLE | ENABLED)
    p.control("Server", "Edit", LEFT, 73, 330, 17, "{260}", "SERVER")
    p.label("ServerHint", LEFT, 93, 330, 22, "server_hint")
    p.label("FingerprintLabel", LEFT, 124, 330, 11, "fingerprint", attributes=VISIBLE | ENABLED)
    p.control("Fingerprint", "Edit", LEFT, 137, 330, 17, "{80}", "FINGERPRINT")
    p.label("FingerprintHint", LEFT, 157, 330, 22, "fingerprint_hint")
    p.walk("OptionsDlg", None)
    p.event("Next", "DoAction", "PraCheckServer")
    p.event("Next", "SpawnDialog", "ServerBadDlg", "SERVERBAD")
    p.event("Next", "SpawnDialog", "FingerprintBadDlg", "FINGERPRINTBAD AND NOT SERVERBAD")
    p.event("Next", "SpawnDialog", "FingerprintAloneDlg", "FINGERPRINTALONE AND NOT FINGERPRINTBAD")
    p.event("Next", "NewDialog", "ReadyDlg", "NOT SERVERBAD AND NOT FINGERPRINTBAD AND NOT FINGERPRINTALONE")
    p.ring("ServerLabel", "Server", "FingerprintLabel", "Fingerprint", "Back", "Next", "Cancel")


def ready(p):
    p.dialog("ReadyDlg", "Install", "Install", "Cancel")
    p.head("ready")
    p.label("Text", LEFT, 62, 330, 40, "ready_text")
    p.button("Back", BACK_X, "back")
    p.event("Back", "NewDialog", "ServerDlg")
    p.button("Install", NEXT_X, "install")
    p.event("Install", "EndDialog", "Return")
    p.cancel_button()
    p.ring("Back", "Install", "Cancel")


def progress(p):
    p.dialog("ProgressDlg", "Cancel", "Cancel", "Cancel", attributes=VISIBLE | MINIMIZE)
    p.head("progress")
    p.label("StatusLabel", LEFT, 70, 40, 11, "status")
    p.control("Action", "Text", 62, 70, 285, 11, attributes=VISIBLE | ENABLED | NO_PREFIX)
    p.control("Bar", "ProgressBar", LEFT, 90, 330, 11, attributes=VISIBLE | PROGRESS_95)
    p.rows["EventMapping"] += [[p.name, "Action", "ActionText", "Text"], [p.name, "Bar", "SetProgress", "Progress"]]
    p.cancel_button()
    p.ring("Cancel")


def ends(p):
    """What is shown at the very end: Windows Installer picks one by its sequence number."""
    p.dialog("DoneDlg", "Close", "Close", "Close")
    p.cover("done_head", "done_installed")
    p.label("Repaired", 135, 70, 225, 60, "done_repaired")
    p.label("Removed", 135, 70, 225, 60, "done_removed")
    # Beside the button: above the picture wine would not show it.
    p.control("Launch", "CheckBox", LEFT, BUTTON_Y, 225, 17, p.say("launch"), "LAUNCHPRA")
    # "Remove" is PRA_MAINTAIN's default, for msiexec /x.
    removed = 'Installed AND PRA_MAINTAIN = "Remove" AND NOT REINSTALL'
    for control, when in {"Body": "NOT Installed", "Repaired": f"Installed AND NOT ({removed})", "Removed": removed,
                          "Launch": "NOT Installed"}.items():
        p.condition(control, "Show", when)
        p.condition(control, "Hide", f"NOT ({when})")
    p.button("Close", CANCEL_X, "close")
    p.event("Close", "DoAction", "PraLaunch", "LAUNCHPRA AND NOT Installed")
    p.event("Close", "EndDialog", "Return")
    p.ring("Close", "Launch")
    for name, body, argument in (("FailedDlg", "failed_text", "Exit"), ("CancelledDlg", "cancelled_text", "Exit")):
        p.dialog(name, "Close", "Close", "Close")
        p.cover("failed_head", body)
        p.button("Close", CANCEL_X, "close")
        p.event("Close", "EndDialog", argument)
        p.ring("Close")


def small(p, name, key, buttons, height=85):
    """A question or a remark above another page; the last of `buttons` is the default and Escape's."""
    last = buttons[-1][0]
    p.dialog(name, last, last, last, 280, height, VISIBLE | MODAL)
    p.label("Text", 20, 14, 240, height - 45, key)
    x = (280 - len(buttons) * (BUTTON_W + 4) + 4) // 2
    for control, label, events in buttons:
        p.button(control, x, label, height - 27)
        for event in events:
            p.event(control, *event)
        x += BUTTON_W + 4
    p.ring(*(b[0] for b in buttons))


def remarks(p):
    back = [("EndDialog", "Return")]
    small(p, "CancelDlg", "ask_cancel", [("Yes", "yes", [("EndDialog", "Exit")]), ("No", "no", back)])
    small(p, "ServerBadDlg", "server_bad", [("OK", "ok", back)], 100)
    small(p, "FingerprintBadDlg", "fingerprint_bad", [("OK", "ok", back)], 100)
    small(p, "FingerprintAloneDlg", "fingerprint_alone", [("OK", "ok", back)], 100)


def browse(p):
    p.dialog("BrowseDlg", "Path", "OK", "Cancel")
    p.head("browse")
    p.label("LookIn", LEFT, 52, 330, 11, "look_in", attributes=VISIBLE | ENABLED)
    p.control("Combo", "DirectoryCombo", LEFT, 64, 260, 80, prop="_BrowseProperty",
              attributes=VISIBLE | ENABLED | INDIRECT | 0x90000)
    p.control("Up", "PushButton", 286, 64, 30, BUTTON_H, "..")
    p.event("Up", "DirectoryListUp", "0")
    p.control("New", "PushButton", 320, 64, 30, BUTTON_H, "+")
    p.event("New", "DirectoryListNew", "0")
    p.control("List", "DirectoryList", LEFT, 86, 330, 106, prop="_BrowseProperty",
              attributes=VISIBLE | ENABLED | SUNKEN | INDIRECT)
    p.label("PathLabel", LEFT, 197, 330, 11, "folder_name", attributes=VISIBLE | ENABLED)
    p.control("Path", "PathEdit", LEFT, 210, 330, 17, prop="_BrowseProperty", attributes=VISIBLE | ENABLED | INDIRECT)
    p.button("OK", NEXT_X, "ok")
    p.event("OK", "SetTargetPath", "[_BrowseProperty]")
    p.event("OK", "EndDialog", "Return")
    p.button("Cancel", CANCEL_X, "cancel")
    p.event("Cancel", "Reset", "0")
    p.event("Cancel", "EndDialog", "Return")
    p.ring("LookIn", "Combo", "Up", "New", "List", "PathLabel", "Path", "OK", "Cancel")


def maintenance(p):
    """A13: the .msi is run again."""
    p.dialog("MaintenanceDlg", "What", "Finish", "Cancel")
    p.head("maintain")
    p.control("What", "RadioButtonGroup", LEFT, 70, 330, 50, prop="PRA_MAINTAIN")
    p.rows["RadioButton"] += [["PRA_MAINTAIN", 1, "Repair", 0, 0, 320, 17, p.say("repair"), ""],
                              ["PRA_MAINTAIN", 2, "Remove", 0, 22, 320, 17, p.say("remove"), ""]]
    p.button("Finish", NEXT_X, "finish")
    repair = 'PRA_MAINTAIN = "Repair"'
    # Properties instead of the events of that name, which need features that were weighed here (msi.py).
    p.event("Finish", "[REINSTALLMODE]", "amus", repair)
    p.event("Finish", "[REINSTALL]", "ALL", repair)
    p.event("Finish", "EndDialog", "Return", repair)
    p.event("Finish", "NewDialog", "AskDataDlg", 'PRA_MAINTAIN = "Remove"')
    p.cancel_button()
    p.ring("What", "Finish", "Cancel")

    p.dialog("AskDataDlg", "No", "No", "Cancel")
    p.control("Banner", "Bitmap", 0, 0, WIDTH, 48, "PraBanner", attributes=VISIBLE)
    p.label("Head", 15, 14, 290, 15, "ask_data_head", r"{\PraBold}")
    p.bottom()
    p.label("Question", LEFT, 66, 330, 26, "ask_data", r"{\PraBold}")
    p.label("Note", LEFT, 100, 330, 80, "ask_data_note")
    for name, x, key, value in (("Yes", BACK_X, "yes", "1"), ("No", NEXT_X, "no", "0")):
        p.button(name, x, key)
        p.event(name, "[REMOVEKEYS]", value)
        p.event(name, "[REMOVE]", "ALL")
        p.event(name, "EndDialog", "Return")
    p.cancel_button()
    p.ring("Yes", "No", "Cancel")


def tables(lang, version, licence_rtf):
    """{table: rows} of everything that is shown."""
    p = Pages(lang, version, licence_rtf)
    for page in (welcome, licence, options, server, ready, progress, ends, remarks, browse, maintenance):
        page(p)
    face, size = FONTS[lang]
    p.rows["TextStyle"] = [["PraPlain", face, size, "", ""], ["PraBold", face, size, "", 1],
                           ["PraBig", face, size + 4, "", 1]]
    column = list(LANGUAGES).index(lang)
    p.rows["ActionText"] = [[action, words[column], ""] for action, words in ACTIONS.items()]
    p.rows["UIText"] = [["NewFolder", ("フォルダ|新しいフォルダ", "Folder|New Folder")[column]],
                        ["AbsentPath", ""], ["bytes", "bytes"], ["KB", "KB"], ["MB", "MB"], ["GB", "GB"]]
    return p.rows
