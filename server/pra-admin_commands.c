/*
 * The commands of pra-admin: one table, from which arguments are read and all help is printed
 * (pra-admin_help.c).
 */
#include "server/pra-admin.h"

/* clang-format would spread each initialiser over five lines. */
/* clang-format off */
#define END_OPTIONS {NULL, OPTION_TEXT, NULL, NULL}
#define END_POSITIONALS {NULL, NULL, false}
#define END_COLUMNS {NULL, NULL, false}
#define OPTIONS(...) (const struct cli_option[]){__VA_ARGS__, END_OPTIONS}
#define NO_OPTIONS (const struct cli_option[]){END_OPTIONS}
#define POSITIONALS(...) (const struct cli_positional[]){__VA_ARGS__, END_POSITIONALS}
#define NO_POSITIONALS (const struct cli_positional[]){END_POSITIONALS}

#define P_NAME {"name", "NAME", false}
#define P_USER {"user", "USER", false}
#define P_GROUP {"group", "GROUP", false}
#define P_RULE {"id", "ID", true}
#define P_ALERT {"id", "ID", true}
#define PAGED \
    {"search", OPTION_TEXT, "TEXT", "only entries that show this"}, \
    {"sort", OPTION_TEXT, "WORD", "another order; with - in front the other way round"}, \
    {"limit", OPTION_NUMBER, "N", "at most N, up to 10000"}, \
    {"offset", OPTION_NUMBER, "N", "pass over the first N"}
#define AUDIT_FILTER \
    {"since", OPTION_TEXT, "TIME", "RFC 3339, a date, or a time ago (90m, 7d)"}, \
    {"until", OPTION_TEXT, "TIME", "up to, not including"}, \
    {"user", OPTION_TEXT, "USER", "only this user's events"}, \
    {"kind", OPTION_TEXT, "KIND", "only this kind: login, channel-open, admin ..."}, \
    {"device", OPTION_TEXT, "FINGERPRINT", "only of this key"}, \
    {"source", OPTION_TEXT, "ADDR", "only from this address"}, \
    {"target", OPTION_TEXT, "HOST:PORT", "only to this target"}, \
    {"session", OPTION_TEXT, "ID", "only of this session"}, \
    {"search", OPTION_TEXT, "TEXT", "only records that show this"}
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
    {"any-client", "ANY CLIENT", true},
    {"binding", "BINDING", false},
    {"version", "VERSION", false},
    {"os", "OS", false},
    {"seen", "LAST SEEN", true},
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
    {"user", "USER", false},         {"group", "GROUP", false},
    {"position", "POSITION", true},  {"id", "ID", true},
    {"name", "NAME", true},          {"action", "ACTION", true},
    {"target", "TARGET", true},      {"local", "LOCAL", false},
    {"fallback", "FALLBACK", false}, {"from", "FROM", false},
    {"hours", "HOURS", false},       {"expires", "EXPIRES", false},
    {"log", "LOG", false},           END_COLUMNS,
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

/* What account add and account set share. */
#define SEND_OPTION                                                                                \
    {                                                                                              \
        "send", OPTION_FLAG, NULL, "mail the code to the account's address and do not print it"    \
    }
#define ACCOUNT_OPTIONS                                                                            \
    {"full-name", OPTION_TEXT, "TEXT", "the person's name"},                                       \
        {"mail", OPTION_TEXT, "ADDRESS", "where mail for this account goes"},                      \
    {                                                                                              \
        "expires", OPTION_TEXT, "TIME", "RFC 3339 or a date; after it nobody can log in"           \
    }

const struct cli_command cli_commands[] = {
    {"init", "init", NO_POSITIONALS, NO_OPTIONS, STYLE_DETAILS, NULL, NULL,
     "make the database and the gateway's host key, print its fingerprint", "pra-admin init"},
    {"status", "status", NO_POSITIONALS, NO_OPTIONS, STYLE_DETAILS, NULL, NULL,
     "whether prad runs, and how much it knows", "pra-admin status"},

    {"user add", "user.add", POSITIONALS(P_NAME),
     OPTIONS({"full-name", OPTION_TEXT, "TEXT", "the person's name"},
             {"disabled", OPTION_FLAG, NULL, "may not log in until enabled"}),
     STYLE_DONE, NULL, "user {name} added", "allow a user; names are case-sensitive",
     "pra-admin user add suzuki --full-name 'Suzuki Hanako'"},
    {"user list", "user.list", NO_POSITIONALS,
     OPTIONS({"name", OPTION_TEXT, "NAME", "only this user"},
             {"group", OPTION_TEXT, "GROUP", "only this group's members"},
             {"state", OPTION_TEXT, "STATE", "enabled or disabled"}, PAGED),
     STYLE_TABLE, user_columns, NULL,
     "users with their groups and the number of their keys and rules", "pra-admin user list"},
    {"user enable", "user.enable", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "user {name} enabled", "let a user in again", "pra-admin user enable suzuki"},
    {"user disable", "user.disable", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "user {name} disabled", "close a user's connections and let him in no more",
     "pra-admin user disable suzuki"},
    {"user delete", "user.delete", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "user {name} deleted, with his keys and rules; the audit records stay",
     "remove a user with his keys and rules", "pra-admin user delete suzuki"},

    {"user trouble", "user.trouble", POSITIONALS(P_USER),
     OPTIONS({"lang", OPTION_TEXT, "ja|en", "language of the messages (en)"}), STYLE_TABLE,
     trouble_columns, NULL, "what went wrong for a user lately, with code, cause and remedy",
     "pra-admin user trouble suzuki"},

    {"group add", "group.add", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "group {name} added", "make a group, which can have rules and members",
     "pra-admin group add sales"},
    {"group list", "group.list", NO_POSITIONALS,
     OPTIONS({"name", OPTION_TEXT, "NAME", "only this group"}, PAGED), STYLE_TABLE, group_columns,
     NULL, "groups with their members", "pra-admin group list"},
    {"group delete", "group.delete", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "group {name} deleted, with its rules", "remove a group with its rules",
     "pra-admin group delete sales"},
    {"group member add", "group.member.add", POSITIONALS(P_GROUP, P_USER), NO_OPTIONS, STYLE_DONE,
     NULL, "user {user} is now in group {group}", "put a user into a group",
     "pra-admin group member add sales suzuki"},
    {"group member remove", "group.member.remove", POSITIONALS(P_GROUP, P_USER), NO_OPTIONS,
     STYLE_DONE, NULL, "user {user} is no more in group {group}", "take a user out of a group",
     "pra-admin group member remove sales suzuki"},
    {"group member delete", "group.member.remove", POSITIONALS(P_GROUP, P_USER), NO_OPTIONS,
     STYLE_DONE, NULL, "user {user} is no more in group {group}", "the same as member remove",
     "pra-admin group member delete sales suzuki"},

    {"key add", "key.add", POSITIONALS(P_USER, {"file", "FILE", false}),
     OPTIONS({"any-client", OPTION_FLAG, NULL, "any standard SSH client may use this key"},
             {"reactivate", OPTION_FLAG, NULL, "take back the revocation of this very key"}),
     STYLE_DONE, NULL, "key {fingerprint} ({comment}) registered for user {user}",
     "register the public key of one of the user's PCs", "pra-admin key add suzuki suzuki.pub"},
    {"key list", "key.list", NO_POSITIONALS,
     OPTIONS({"user", OPTION_TEXT, "USER", "only this user's keys"},
             {"state", OPTION_TEXT, "STATE", "active or revoked"}, PAGED),
     STYLE_TABLE, key_columns, NULL,
     "registered keys, when they were last seen, and what their PCs said",
     "pra-admin key list --user suzuki"},
    {"key revoke", "key.revoke", POSITIONALS({"fingerprint", "FINGERPRINT", false}),
     OPTIONS({"user", OPTION_TEXT, "USER", "only this user's registration of the key"}), STYLE_DONE,
     NULL, "key {fingerprint} of user {user} revoked",
     "close a key's connections and refuse it from now on",
     "pra-admin key revoke SHA256:Rq0m2n4T4hLxpdLzjSrPKVxg0Y5x3cUZ8sVFcNYhWbE"},
    {"key restore", "key.restore", POSITIONALS(P_USER, {"fingerprint", "FINGERPRINT", false}),
     NO_OPTIONS, STYLE_DONE, NULL, "key {fingerprint} of user {user} is good again",
     "take back the revocation of a key",
     "pra-admin key restore suzuki SHA256:Rq0m2n4T4hLxpdLzjSrPKVxg0Y5x3cUZ8sVFcNYhWbE"},

    {"enroll code", "enroll.code", POSITIONALS(P_USER),
     OPTIONS({"hours", OPTION_NUMBER, "N", "how long the code is good (24; at most 336)"}),
     STYLE_DETAILS, NULL, NULL,
     "make a one-use code: with 'pra enroll' a PC of the user hands in its key, and waits for you",
     "pra-admin enroll code suzuki"},
    {"enroll list", "enroll.list", NO_POSITIONALS,
     OPTIONS(
         {"user", OPTION_TEXT, "USER", "only this user's"},
         {"state", OPTION_TEXT, "STATE", "open, waiting, approved, denied, withdrawn or expired"},
         PAGED),
     STYLE_TABLE, enroll_columns, NULL, "codes that are out, and PCs that wait for a decision",
     "pra-admin enroll list --state waiting"},
    {"enroll approve", "enroll.approve", POSITIONALS(P_RULE), NO_OPTIONS, STYLE_DONE, NULL,
     "key {fingerprint} ({comment}) registered for user {user}",
     "register the key of a PC that waits; compare the fingerprint first",
     "pra-admin enroll approve 7"},
    {"enroll deny", "enroll.deny", POSITIONALS(P_RULE), NO_OPTIONS, STYLE_DONE, NULL,
     "enrollment {id} of user {user}: {state}", "refuse a PC that waits, or take a code back",
     "pra-admin enroll deny 7"},

    {"log list", "log.list", NO_POSITIONALS,
     OPTIONS({"user", OPTION_TEXT, "USER", "only this user's"}, PAGED), STYLE_TABLE, log_columns,
     NULL, "log bundles that users have sent (pra log send)", "pra-admin log list --user suzuki"},
    {"log show", "log.show", POSITIONALS({"id", "ID", false}), NO_OPTIONS, STYLE_DETAILS, NULL,
     NULL, "what is in a bundle, the state of the client, its last problems",
     "pra-admin log show 4f1c22aa90b3e6d7"},
    {"log verify", "log.show", POSITIONALS({"id", "ID", false}), NO_OPTIONS, STYLE_VERIFY, NULL,
     NULL,
     "are its lines all there and as they were written? Shows them beside the gateway's records",
     "pra-admin log verify 4f1c22aa90b3e6d7"},
    {"log export", "log.fetch", POSITIONALS({"id", "ID", false}),
     OPTIONS({"output", OPTION_TEXT, "FILE", "write it there, not under its own name here (-o)"}),
     STYLE_EXPORT, NULL, NULL, "save a bundle as a file (zip)",
     "pra-admin log export 4f1c22aa90b3e6d7 -o suzuki.zip"},
    {"log delete", "log.delete", POSITIONALS({"id", "ID", false}), NO_OPTIONS, STYLE_DONE, NULL,
     "log bundle {id} of user {user} deleted", "remove a bundle",
     "pra-admin log delete 4f1c22aa90b3e6d7"},

    {"rule add", "rule.add", NO_POSITIONALS,
     OPTIONS({"user", OPTION_TEXT, "USER", "whose rule it is; or:"},
             {"group", OPTION_TEXT, "GROUP", "the group whose members it is for"},
             {"name", OPTION_NEEDED, "LABEL", "what the user sees (POP, Web ...)"},
             {"target", OPTION_NEEDED, "TARGET",
              "HOST:PORT, or a network and ports: 10.1.0.0/16:8000-8099, [2001:db8::/32]:443"},
             {"local", OPTION_TEXT, "[ADDR:]PORT",
              "deliver it as a forward that listens here on the user's PC (127.0.0.1:PORT)"},
             {"fallback", OPTION_TEXT, "[ADDR:]PORT", "listen here if local is taken"},
             {"position", OPTION_NUMBER, "N", "1 = first; the others move down (default: last)"},
             {"action", OPTION_TEXT, "allow|deny", "default allow"},
             {"from", OPTION_TEXT, "CIDR", "only for clients that come from this network"},
             {"hours", OPTION_TEXT, "TEXT",
              "'Mon-Fri 08:00-19:00', 'Sat,Sun 10:00-12:00', 'daily 22:00-06:00'; several joined "
              "by ', '; the gateway's local time"},
             {"expires", OPTION_TEXT, "TIME", "RFC 3339, such as 2027-03-31T18:00:00+09:00"},
             {"log", OPTION_FLAG, NULL, "write each use into the gateway's log"}),
     STYLE_DONE, NULL, "rule {id} '{name}' added at position {position}",
     "add a rule: read from the top, the first that applies decides, none means no",
     "pra-admin rule add --user suzuki --name POP --target mail.example.com:110 --local 110"},
    {"rule list", "rule.list", NO_POSITIONALS,
     OPTIONS({"user", OPTION_TEXT, "USER", "only this user's own rules"},
             {"group", OPTION_TEXT, "GROUP", "only this group's rules"},
             {"effective", OPTION_FLAG, NULL,
              "with --user: all that are read for him, in order: his own, then his groups'"},
             PAGED),
     STYLE_TABLE, rule_columns, NULL, "rules in the order in which they are read",
     "pra-admin rule list --user suzuki --effective"},
    {"rule check", "rule.check", NO_POSITIONALS,
     OPTIONS({"user", OPTION_TEXT, "USER", "the rules as they are read for this user; or:"},
             {"group", OPTION_TEXT, "GROUP", "the rules of this group"}),
     STYLE_TABLE, finding_columns, NULL,
     "rules that an earlier one always decides before, that share a local port, or are over",
     "pra-admin rule check --user suzuki"},
    {"rule move", "rule.move", POSITIONALS(P_RULE, {"position", "POSITION", true}), NO_OPTIONS,
     STYLE_DONE, NULL, "rule {id} '{name}' is now at position {position}",
     "put a rule at another position of its user or group", "pra-admin rule move 7 1"},
    {"rule delete", "rule.delete", POSITIONALS(P_RULE), NO_OPTIONS, STYLE_DONE, NULL,
     "rule {id} '{name}' deleted", "remove a rule; connections that it alone allowed are closed",
     "pra-admin rule delete 7"},

    {"account add", "account.add", POSITIONALS(P_NAME),
     OPTIONS({"role", OPTION_NEEDED, "ROLE", "owner, admin, helpdesk, engineer or auditor"},
             ACCOUNT_OPTIONS, SEND_OPTION),
     STYLE_DETAILS, NULL, NULL,
     "make an account of the management tool; prints the one-time code that sets its password",
     "pra-admin account add tanaka --role owner"},
    {"account list", "account.list", NO_POSITIONALS,
     OPTIONS({"name", OPTION_TEXT, "NAME", "only this account"}, PAGED), STYLE_TABLE,
     account_columns, NULL, "accounts of the management tool", "pra-admin account list"},
    {"account set", "account.set", POSITIONALS(P_NAME),
     OPTIONS({"role", OPTION_TEXT, "ROLE", "another role; ends the account's log-ins"},
             ACCOUNT_OPTIONS),
     STYLE_DONE, NULL, "account {name} changed", "change an account; \"\" takes a value away",
     "pra-admin account set tanaka --mail tanaka@example.com"},
    {"account enable", "account.enable", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "account {name} enabled", "let an account log in again", "pra-admin account enable tanaka"},
    {"account disable", "account.disable", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "account {name} disabled", "end an account's log-ins and let it in no more",
     "pra-admin account disable tanaka"},
    {"account delete", "account.delete", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "account {name} deleted; the audit records stay", "remove an account",
     "pra-admin account delete tanaka"},
    {"account reissue", "account.reissue", POSITIONALS(P_NAME), OPTIONS(SEND_OPTION), STYLE_DETAILS,
     NULL, NULL,
     "take away password and second step and print a new set-up code (forgotten password, lost "
     "phone)",
     "pra-admin account reissue tanaka"},
    {"account reset", "account.reset", POSITIONALS(P_NAME), NO_OPTIONS, STYLE_DONE, NULL,
     "account {name} has no second step now", "turn an account's second step off (lost phone)",
     "pra-admin account reset tanaka"},

    {"token list", "token.list", NO_POSITIONALS, NO_OPTIONS, STYLE_TABLE, token_columns, NULL,
     "API tokens of all accounts, what they may, and when they were last used",
     "pra-admin token list"},
    {"token revoke", "token.revoke", POSITIONALS({"id", "ID", true}), NO_OPTIONS, STYLE_DONE, NULL,
     "token {name} of account {account} revoked", "refuse an API token from now on",
     "pra-admin token revoke 3"},

    {"access list", "access.list", NO_POSITIONALS, NO_OPTIONS, STYLE_TABLE, access_columns, NULL,
     "networks that the portal may be used from; none: from everywhere", "pra-admin access list"},
    {"access add", "access.add", POSITIONALS({"network", "NETWORK", false}),
     OPTIONS({"comment", OPTION_TEXT, "TEXT", "what this network is"}), STYLE_DONE, NULL,
     "the portal may be used from {network}", "allow a network, and none that is not in the list",
     "pra-admin access add 192.0.2.0/24 --comment 'head office'"},
    {"access delete", "access.delete", POSITIONALS({"id", "ID", true}), NO_OPTIONS, STYLE_DONE,
     NULL, "{network} removed from the list", "remove a network from the list",
     "pra-admin access delete 2"},
    {"access reset", "access.reset", NO_POSITIONALS, NO_OPTIONS, STYLE_DONE, NULL,
     "{removed} access rules removed: the portal can be used from everywhere",
     "remove all networks from the list, and nothing else, for who has locked himself out",
     "pra-admin access reset"},

    {"session list", "session.list", NO_POSITIONALS,
     OPTIONS({"user", OPTION_TEXT, "USER", "only this user's sessions"}, PAGED), STYLE_TABLE,
     session_columns, NULL, "who is connected (prad must run)", "pra-admin session list"},
    {"session kill", "session.kill", POSITIONALS({"id", "ID", false}),
     OPTIONS({"reason", OPTION_TEXT, "TEXT", "told to the user"}), STYLE_DONE, NULL,
     "session {id} ended", "end a session (prad must run)",
     "pra-admin session kill 4f1c22aa90b3e6d7581f0c3a9e2b7d64"},

    {"penalty list", "penalty.show", NO_POSITIONALS, NO_OPTIONS, STYLE_TABLE, penalty_columns, NULL,
     "addresses that are refused for a while, since their connections came to nothing",
     "pra-admin penalty list"},
    {"penalty clear", "penalty.clear", NO_POSITIONALS,
     OPTIONS({"source", OPTION_TEXT, "ADDRESS", "only this one"}), STYLE_DONE, NULL,
     "{source} may connect again", "forgive an address, or all (prad must run)",
     "pra-admin penalty clear --source 198.51.100.7"},
    {"port list", "port.trouble", NO_POSITIONALS, NO_OPTIONS, STYLE_TABLE, port_columns, NULL,
     "local ports that connected PCs could not open, and which programs hold them",
     "pra-admin port list"},
    {"session show", "session.show", POSITIONALS({"id", "ID", false}), NO_OPTIONS, STYLE_DETAILS,
     NULL, NULL, "a session with its open channels and the ports that the PC could not open",
     "pra-admin session show 4f1c22aa90b3e6d7581f0c3a9e2b7d64 --json"},
    {"session close", "channel.close",
     POSITIONALS({"id", "ID", false}, {"channel", "CHANNEL", false}), NO_OPTIONS, STYLE_DONE, NULL,
     "channel {channel} closed", "close one channel of a session (see session show)",
     "pra-admin session close 4f1c22aa90b3e6d7581f0c3a9e2b7d64 7-81442901-51234"},

    {"hostkey show", "hostkey.show", NO_POSITIONALS, NO_OPTIONS, STYLE_DETAILS, NULL, NULL,
     "the fingerprint that users compare at their first connection", "pra-admin hostkey show"},

    {"profile", "profile", POSITIONALS(P_USER),
     OPTIONS({"output", OPTION_TEXT, "FILE", "write it there, not to the standard output (-o)"},
             {"server", OPTION_TEXT, "HOST[:PORT]",
              "where clients reach this gateway (default: [gateway] public_address)"},
             {"name", OPTION_TEXT, "TEXT", "what the user sees as the name of the connection"}),
     STYLE_PROFILE, NULL, NULL,
     "write a profile: with it and a passphrase the user has nothing more to enter",
     "pra-admin profile suzuki --server gw.example.com -o suzuki.pra"},

    {"mail test", "mail.test", POSITIONALS({"address", "ADDRESS", false}),
     OPTIONS({"no-wait", OPTION_FLAG, NULL, "put it into the queue and do not wait"}), STYLE_MAIL,
     NULL, NULL, "send a test mail and say what the mail server answered",
     "pra-admin mail test tanaka@example.com"},
    {"mail list", "mail.list", NO_POSITIONALS,
     OPTIONS({"id", OPTION_NUMBER, "ID", "only this mail"},
             {"limit", OPTION_NUMBER, "N", "at most N, up to 10000"},
             {"offset", OPTION_NUMBER, "N", "pass over the first N"}),
     STYLE_TABLE, mail_columns, NULL,
     "mail that waits, and what became of that of the last 14 days, newest first",
     "pra-admin mail list"},
    {"mail retry", "mail.retry", NO_POSITIONALS,
     OPTIONS({"id", OPTION_NUMBER, "ID", "only this mail, which may have been given up"}),
     STYLE_DONE, NULL, "mail {id} to {to} is tried now",
     "try all mail that waits, or one, now and not at its next time",
     "pra-admin mail retry --id 7"},
    {"mail drop", "mail.drop", POSITIONALS({"id", "ID", true}), NO_OPTIONS, STYLE_DONE, NULL,
     "mail {id} to {to} removed", "remove a mail, sent or not", "pra-admin mail drop 7"},

    {"audit list", "audit.list", NO_POSITIONALS,
     OPTIONS(AUDIT_FILTER, {"limit", OPTION_NUMBER, "N", "the newest N (default 1000), 0 = all"}),
     STYLE_AUDIT, audit_columns, NULL, "what happened, oldest first",
     "pra-admin audit list --since 24h --kind channel-refused"},
    {"audit export", "audit.export", NO_POSITIONALS,
     OPTIONS(AUDIT_FILTER,
             {"format", OPTION_TEXT, "FORMAT", "csv (default), jsonl, or syslog (RFC 5424)"}),
     STYLE_RECORDS, NULL, NULL, "all records that fit, for other programs; the export is recorded",
     "pra-admin audit export --since 2026-11-01 --until 2026-12-01 --format csv"},
    {"audit counts", "audit.counts", NO_POSITIONALS,
     OPTIONS({"since", OPTION_TEXT, "DATE", "from this day on"},
             {"until", OPTION_TEXT, "DATE", "up to this day"}),
     STYLE_TABLE, audit_count_columns, NULL,
     "how many events of each kind there were on each day: exact, whatever was thinned or deleted",
     "pra-admin audit counts --since 2026-11-01 --until 2026-11-30"},

    {"alert list", "alert.list", NO_POSITIONALS,
     OPTIONS(
         {"kind", OPTION_TEXT, "KIND", "only this kind: failures-user, clone, device-offline ..."},
         {"severity", OPTION_TEXT, "WORD", "critical, warning, notice or unjudged"},
         {"state", OPTION_TEXT, "STATE", "open or acked"}, PAGED),
     STYLE_TABLE, alert_columns, NULL, "alerts of the last 90 days, newest first",
     "pra-admin alert list --state open"},
    {"alert judge", "alert.judge", POSITIONALS(P_ALERT, {"severity", "SEVERITY", false}),
     OPTIONS({"note", OPTION_TEXT, "TEXT", "what was found out"}), STYLE_DONE, NULL,
     "alert {id} is judged: {severity}",
     "say how severe an alert is: critical, warning or notice; a mail follows",
     "pra-admin alert judge 12 notice --note 'forgot his passphrase'"},
    {"alert ack", "alert.ack", POSITIONALS(P_ALERT),
     OPTIONS({"note", OPTION_TEXT, "TEXT", "what was done"}), STYLE_DONE, NULL,
     "alert {id} is done with", "say that an alert is done with", "pra-admin alert ack 12"},
    {"alert counts", "alert.counts", NO_POSITIONALS,
     OPTIONS({"since", OPTION_TEXT, "DATE", "from this day on"},
             {"until", OPTION_TEXT, "DATE", "up to this day"}),
     STYLE_TABLE, audit_count_columns, NULL,
     "how many alerts of each kind there were on each day: exact, whatever was thinned",
     "pra-admin alert counts --since 2026-11-01"},
    {"watch set", "watch.set", POSITIONALS(P_USER, {"fingerprint", "FINGERPRINT", false}),
     OPTIONS(
         {"after", OPTION_NEEDED, "TIME", "alert when it is away for so long (10m); 0 = never"}),
     STYLE_DONE, NULL, "device {fingerprint} of user {user}: alert after {after} seconds",
     "a device that should always be connected",
     "pra-admin watch set suzuki SHA256:Rq0m2n4T4hLxpdLzjSrPKVxg0Y5x3cUZ8sVFcNYhWbE --after 10m"},
    {"watch list", "watch.list", NO_POSITIONALS, OPTIONS(PAGED), STYLE_TABLE, watch_columns, NULL,
     "devices that should always be connected, and whether they are", "pra-admin watch list"},
    {"outage add", "outage.add", NO_POSITIONALS,
     OPTIONS({"since", OPTION_TEXT, "TIME", "RFC 3339, or a time ahead (2h); default: now"},
             {"until", OPTION_NEEDED, "TIME", "likewise"},
             {"user", OPTION_TEXT, "USER", "only this user's devices (default: all)"},
             {"note", OPTION_TEXT, "TEXT", "why"}),
     STYLE_DONE, NULL, "outage {id} announced, {since} to {until}",
     "announce an outage: nobody is told of devices that are away meanwhile",
     "pra-admin outage add --until 2h --note 'power works in Nagoya'"},
    {"outage list", "outage.list", NO_POSITIONALS, NO_OPTIONS, STYLE_TABLE, outage_columns, NULL,
     "announced outages", "pra-admin outage list"},
    {"outage remove", "outage.remove", POSITIONALS({"id", "ID", true}), NO_OPTIONS, STYLE_DONE,
     NULL, "outage {id} removed", "take an announcement back", "pra-admin outage remove 3"},

    {"explain", "explain", NO_POSITIONALS,
     OPTIONS({"user", OPTION_NEEDED, "USER", "who asks"},
             {"target", OPTION_NEEDED, "HOST:PORT", "where to"},
             {"from", OPTION_TEXT, "ADDR", "the client's address"},
             {"at", OPTION_TEXT, "TIME", "another time than now"}),
     STYLE_EXPLAIN, NULL, NULL,
     "which rule decides, why, the user's keys, and whether the target answers",
     "pra-admin explain --user suzuki --target mail.example.com:110 --at 2026-11-28T12:00:00Z"},

    {"batch", NULL, POSITIONALS({"file", "FILE", false}), NO_OPTIONS, STYLE_BATCH, NULL, NULL,
     "many changes at once, all or none: a line of {\"op\":...,\"args\":{...}} each; - is stdin",
     "pra-admin batch employees.jsonl"},

    {NULL, NULL, NULL, NULL, STYLE_DONE, NULL, NULL, NULL, NULL},
};
