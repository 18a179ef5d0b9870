/* Which members of an answer are columns of a list, and what stands over them; for pra-admin_commands.c. */
#ifndef PRA_SERVER_PRA_ADMIN_COLUMNS_H
#define PRA_SERVER_PRA_ADMIN_COLUMNS_H

#include "server/pra-admin.h"

/* clang-format off */
#define END_COLUMNS {NULL, NULL, false}
/* clang-format on */

static const struct cli_column user_columns[] = {
    {"id", "ID", true},
    {"name", "NAME", true},
    {"enabled", "ENABLED", true},
    {"full-name", "FULL NAME", false},
    {"groups", "GROUPS", false},
    {"keys", "KEYS", true},
    {"rules", "RULES", true},
    {"created", "CREATED", true},
    END_COLUMNS,
};

static const struct cli_column group_columns[] = {
    {"id", "ID", true},
    {"name", "NAME", true},
    {"members", "MEMBERS", true},
    END_COLUMNS,
};

static const struct cli_column key_columns[] = {
    {"id", "ID", true},
    {"user", "USER", true},
    {"fingerprint", "FINGERPRINT", true},
    {"state", "STATE", true},
    {"comment", "COMMENT", false},
    {"name", "NAME", false},
    {"place", "PLACE", false},
    {"any-client", "ANY CLIENT", true},
    {"binding", "BINDING", false},
    {"version", "VERSION", false},
    {"os", "OS", false},
    {"seen", "LAST SEEN", true},
    {"ticket", "TICKET", false},
    {"clone", "CLONE", false},
    END_COLUMNS,
};

static const struct cli_column enroll_columns[] = {
    {"id", "ID", true},
    {"user", "USER", true},
    {"state", "STATE", true},
    {"fingerprint", "FINGERPRINT", false},
    {"computer", "COMPUTER", false},
    {"os", "OS", false},
    {"binding", "BINDING", false},
    {"source", "SOURCE", false},
    {"requested", "REQUESTED", false},
    {"expires", "EXPIRES", true},
    {"decided-by", "DECIDED BY", false},
    END_COLUMNS,
};

static const struct cli_column trouble_columns[] = {
    {"time", "TIME", true},        {"by", "BY", true},
    {"code", "CODE", true},        {"title", "TITLE", true},
    {"cause", "CAUSE", true},      {"remedy", "REMEDY", false},
    {"session", "SESSION", false}, END_COLUMNS,
};

static const struct cli_column log_columns[] = {
    {"id", "ID", true},         {"user", "USER", true},
    {"time", "TIME", true},     {"size", "BYTES", true},
    {"lines", "LINES", true},   {"whole", "WHOLE", true},
    {"breaks", "BREAKS", true}, {"version", "VERSION", true},
    {"device", "DEVICE", true}, END_COLUMNS,
};

static const struct cli_column rule_columns[] = {
    {"user", "USER", false},    {"group", "GROUP", false},   {"position", "POSITION", true},
    {"id", "ID", true},         {"name", "NAME", true},      {"action", "ACTION", true},
    {"target", "TARGET", true}, {"local", "LOCAL", false},   {"fallback", "FALLBACK", false},
    {"from", "FROM", false},    {"hours", "HOURS", false},   {"expires", "EXPIRES", false},
    {"log", "LOG", false},      {"limits", "LIMITS", false}, END_COLUMNS,
};

static const struct cli_column finding_columns[] = {
    {"rule", "ID", true}, {"name", "NAME", true},        {"kind", "FINDING", true},
    {"by", "BY", false},  {"by-name", "BY NAME", false}, END_COLUMNS,
};

static const struct cli_column session_columns[] = {
    {"id", "ID", true},
    {"user", "USER", true},
    {"source", "SOURCE", true},
    {"since", "SINCE", true},
    {"kind", "KIND", true},
    {"version", "VERSION", false},
    {"binding", "BINDING", false},
    {"connections", "CONNECTIONS", false},
    {"channels", "CHANNELS", true},
    {"bytes_in", "IN", true},
    {"bytes_out", "OUT", true},
    {"limits", "LIMITS", false},
    END_COLUMNS,
};

static const struct cli_column port_columns[] = {
    {"local", "LOCAL", true}, {"state", "STATE", true}, {"program", "PROGRAM", false},
    {"pcs", "PCS", true},     {"users", "USERS", true}, END_COLUMNS,
};

static const struct cli_column penalty_columns[] = {
    {"source", "SOURCE", true},
    {"until", "UNTIL", true},
    {"known", "KNOWN", true},
    END_COLUMNS,
};

static const struct cli_column alert_columns[] = {
    {"id", "ID", true},
    {"severity", "SEVERITY", true},
    {"kind", "KIND", true},
    {"subject", "ABOUT", true},
    {"times", "TIMES", true},
    {"first", "FIRST", true},
    {"last", "LAST", true},
    {"detail", "DETAIL", false},
    {"acked", "DONE", false},
    {"note", "NOTE", false},
    END_COLUMNS,
};

static const struct cli_column watch_columns[] = {
    {"user", "USER", true},
    {"comment", "COMMENT", false},
    {"fingerprint", "FINGERPRINT", true},
    {"after", "AFTER (S)", true},
    {"state", "STATE", true},
    {"since", "SINCE", true},
    {"told", "ALERTED", false},
    END_COLUMNS,
};

static const struct cli_column outage_columns[] = {
    {"id", "ID", true},       {"state", "STATE", true},
    {"since", "SINCE", true}, {"until", "UNTIL", true},
    {"user", "USER", false},  {"note", "NOTE", false},
    {"by", "BY", true},       END_COLUMNS,
};

static const struct cli_column audit_count_columns[] = {
    {"day", "DAY", true},
    {"kind", "KIND", true},
    {"count", "COUNT", true},
    END_COLUMNS,
};

static const struct cli_column audit_columns[] = {
    {"time", "TIME", true},      {"kind", "KIND", true},
    {"user", "USER", false},     {"source", "SOURCE", false},
    {"target", "TARGET", false}, {"target_ip", "ADDRESS", false},
    {"rule", "RULE", false},     {"reason", "REASON", false},
    {"detail", "DETAIL", false}, END_COLUMNS,
};

static const struct cli_column reader_columns[] = {
    {"account", "ACCOUNT", true},
    {"mail", "MAIL", true},
    {"lang", "LANGUAGE", true},
    END_COLUMNS,
};
static const struct cli_column mail_columns[] = {
    {"id", "ID", true},
    {"state", "STATE", true},
    {"kind", "KIND", true},
    {"to", "TO", true},
    {"subject", "SUBJECT", true},
    {"created", "CREATED", true},
    {"tries", "TRIES", true},
    {"next-try", "NEXT TRY", false},
    {"finished", "FINISHED", false},
    {"error", "ERROR", false},
    END_COLUMNS,
};

static const struct cli_column account_columns[] = {
    {"id", "ID", true},
    {"name", "NAME", true},
    {"role", "ROLE", true},
    {"state", "STATE", true},
    {"two-step", "TWO-STEP", true},
    {"full-name", "FULL NAME", false},
    {"mail", "MAIL", false},
    {"expires", "EXPIRES", false},
    {"last-login", "LAST LOG-IN", true},
    END_COLUMNS,
};

static const struct cli_column token_columns[] = {
    {"id", "ID", true},          {"account", "ACCOUNT", true}, {"name", "NAME", true},
    {"scopes", "SCOPES", true},  {"state", "STATE", true},     {"expires", "EXPIRES", true},
    {"used", "LAST USED", true}, {"source", "FROM", false},    END_COLUMNS,
};

static const struct cli_column access_columns[] = {
    {"id", "ID", true},
    {"network", "NETWORK", true},
    {"comment", "COMMENT", false},
    {"created", "CREATED", true},
    END_COLUMNS,
};

static const struct cli_column download_columns[] = {
    {"name", "NAME", true},      {"version", "VERSION", false}, {"size", "BYTES", true},
    {"sha256", "SHA-256", true}, {"modified", "CHANGED", true}, END_COLUMNS,
};

static const struct cli_column change_columns[] = {
    {"id", "ID", true},         {"time", "TIME", true},   {"by", "BY", true},
    {"what", "WHAT", true},     {"rule", "RULE", true},   {"undone", "TAKEN BACK", false},
    {"before", "BEFORE", true}, {"after", "AFTER", true}, END_COLUMNS,
};

static const struct cli_column problem_columns[] = {
    {"line", "LINE", true},
    {"cell", "CELL", false},
    {"column", "COLUMN", false},
    {"problem", "PROBLEM", true},
    END_COLUMNS,
};

#endif
