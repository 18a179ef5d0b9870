/*
 * The operations of the API: one table, from which requests are read and openapi.json is made. What
 * an argument may hold is checked by prad (server/admin), which also says who may do what.
 */
#include "server/portal/portal.h"

#include <event2/http.h>

/* clang-format off */
#define NEED_PATH(n) {n, IN_PATH, PARAM_TEXT, true}
#define ID_PATH(n) {n, IN_PATH, PARAM_INT, true}
#define QUERY(n) {n, IN_QUERY, PARAM_TEXT, false}
#define NEED_QUERY(n) {n, IN_QUERY, PARAM_TEXT, true}
#define QUERY_INT(n) {n, IN_QUERY, PARAM_INT, false}
#define QUERY_FLAG(n) {n, IN_QUERY, PARAM_BOOL, false}
/* What every list has (server/admin/admin_list.c). */
#define PAGED QUERY("search"), QUERY("sort"), QUERY_INT("limit"), QUERY_INT("offset")
/* Which audit records. */
#define AUDIT_FILTER QUERY("since"), QUERY("until"), QUERY("user"), QUERY("kind"), QUERY("device"), \
        QUERY("source"), QUERY("target"), QUERY("session"), QUERY("search")
#define BODY(n) {n, IN_BODY, PARAM_TEXT, false}
#define NEED(n) {n, IN_BODY, PARAM_TEXT, true}
#define SECRET(n) {n, IN_BODY, PARAM_SECRET, true}
#define FLAG(n) {n, IN_BODY, PARAM_BOOL, false}
#define INT(n) {n, IN_BODY, PARAM_INT, false}
#define NEED_INT(n) {n, IN_BODY, PARAM_INT, true}
/* Limits after login (policy/policy_limits.h). */
#define RULE_LIMITS BODY("max-connections"), BODY("rate"), BODY("burst"), BODY("upload"), BODY("download"), BODY("channel-idle")
#define USER_LIMITS RULE_LIMITS, BODY("max-sessions"), BODY("max-sessions-per-device"), BODY("quota-day"), BODY("quota-month"), \
        BODY("session-idle"), BODY("session-time")
#define HOST {"host", IN_HOST, PARAM_TEXT, true}

const struct route routes[] = {
    {EVHTTP_REQ_GET, "/openapi.json", NULL, ROUTE_OPENAPI, "This document", {{0}}},
    {EVHTTP_REQ_GET, "/health", NULL, ROUTE_HEALTH, "Is the portal there, and does prad answer?", {{0}}},

    {EVHTTP_REQ_POST, "/login", "login.password", ROUTE_LOGIN,
     "First step: user id and password. step = code: the second one is owed",
     {NEED("account"), SECRET("password")}},
    {EVHTTP_REQ_POST, "/login/code", "login.code", ROUTE_CODE,
     "Second step: a code of the authenticator, or a recovery code", {SECRET("code")}},
    {EVHTTP_REQ_POST, "/setup", "setup", ROUTE_SETUP,
     "Choose the password of an account with its one-time set-up code",
     {NEED("account"), SECRET("code"), SECRET("password")}},
    {EVHTTP_REQ_POST, "/forgotten", "forgotten", ROUTE_OPEN,
     "Mail a one-time code to whoever forgot his password; the answer is the same whoever asks",
     {NEED("account"), NEED("mail")}},
    {EVHTTP_REQ_POST, "/reset", "reset", ROUTE_SETUP,
     "Choose another password with that code; ends all log-ins of the account and, with end-tokens, its API tokens",
     {NEED("account"), SECRET("code"), SECRET("password"), FLAG("end-tokens")}},
    {EVHTTP_REQ_POST, "/logout", "logout", ROUTE_LOGOUT, "End this log-in", {{0}}},

    {EVHTTP_REQ_GET, "/me", "me", ROUTE_ASK, "The account that is logged in, and what it may do", {{0}}},
    {EVHTTP_REQ_PATCH, "/me", "me.set", ROUTE_ASK, "Change one's own name and mail address",
     {BODY("full-name"), BODY("mail")}},
    {EVHTTP_REQ_GET, "/me/logins", "login.list", ROUTE_ASK, "One's own log-ins", {{0}}},
    {EVHTTP_REQ_DELETE, "/me/logins/{id}", "login.end", ROUTE_ASK, "End one of them", {NEED_PATH("id")}},
    {EVHTTP_REQ_POST, "/me/password", "password.change", ROUTE_CHANGE, "Change one's own password; with end-tokens its API tokens are revoked",
     {SECRET("password"), SECRET("new-password"), FLAG("end-tokens")}},
    {EVHTTP_REQ_POST, "/me/totp", "totp.begin", ROUTE_PROVE,
     "Begin two-step log-in: a new secret, as text, as otpauth URI and as QR code",
     {SECRET("password")}},
    {EVHTTP_REQ_POST, "/me/totp/confirm", "totp.confirm", ROUTE_ASK,
     "Turn two-step log-in on with a code; gives the recovery codes", {SECRET("code")}},
    {EVHTTP_REQ_POST, "/me/totp/disable", "totp.disable", ROUTE_PROVE, "Turn two-step log-in off",
     {SECRET("password")}},
    {EVHTTP_REQ_POST, "/me/recovery-codes", "recovery.renew", ROUTE_PROVE,
     "New recovery codes instead of the old ones", {SECRET("password")}},

    {EVHTTP_REQ_POST, "/login/passkey/begin", "login.passkey.begin", ROUTE_ASK,
     "Second step: a challenge for the account's passkeys of this host name", {HOST}},
    {EVHTTP_REQ_POST, "/login/passkey", "login.passkey", ROUTE_CODE,
     "Second step: what the authenticator answered, in hexadecimal",
     {HOST, NEED("credential"), NEED("client-data"), NEED("auth-data"), NEED("signature")}},
    {EVHTTP_REQ_GET, "/me/passkeys", "passkey.list", ROUTE_ASK, "One's own passkeys", {{0}}},
    {EVHTTP_REQ_POST, "/me/passkeys/begin", "passkey.begin", ROUTE_PROVE,
     "Begin to register a passkey: a challenge for the authenticator", {HOST, SECRET("password")}},
    {EVHTTP_REQ_POST, "/me/passkeys", "passkey.add", ROUTE_ASK,
     "Register what the authenticator made; the first second step brings recovery codes",
     {HOST, NEED("name"), NEED("client-data"), NEED("auth-data")}},
    {EVHTTP_REQ_PATCH, "/me/passkeys/{id}", "passkey.rename", ROUTE_ASK, "Give a passkey another name",
     {ID_PATH("id"), NEED("name")}},
    {EVHTTP_REQ_POST, "/me/passkeys/{id}/remove", "passkey.remove", ROUTE_PROVE, "Remove a passkey",
     {ID_PATH("id"), SECRET("password")}},
    {EVHTTP_REQ_GET, "/me/tokens", "token.list", ROUTE_ASK, "One's own API tokens", {{0}}},
    {EVHTTP_REQ_POST, "/me/tokens", "token.add", ROUTE_PROVE,
     "Make an API token, shown this once: scopes are words of read, users, rules, sessions",
     {NEED("name"), NEED("scopes"), NEED_INT("days"), SECRET("password")}},
    {EVHTTP_REQ_DELETE, "/me/tokens/{id}", "token.revoke", ROUTE_ASK, "Revoke an API token of one's own", {ID_PATH("id")}},

    {EVHTTP_REQ_GET, "/access", "access.list", ROUTE_ASK, "Networks that this tool may be used from; none: all", {{0}}},
    {EVHTTP_REQ_POST, "/access", "access.add", ROUTE_ASK,
     "Allow a network. confirm: also if one's own address is in none then",
     {NEED("network"), BODY("comment"), FLAG("confirm")}},
    {EVHTTP_REQ_DELETE, "/access/{id}", "access.delete", ROUTE_ASK, "Remove a network from the list",
     {ID_PATH("id"), QUERY_FLAG("confirm")}},

    {EVHTTP_REQ_GET, "/users", "user.list", ROUTE_ASK, "Users with their groups and the number of their keys and rules",
     {QUERY("name"), QUERY("group"), QUERY("state"), PAGED}},
    {EVHTTP_REQ_POST, "/users", "user.add", ROUTE_ASK, "Allow a user",
     {NEED("name"), BODY("full-name"), FLAG("disabled")}},
    {EVHTTP_REQ_GET, "/users/export", "user.export", ROUTE_ASK, "Users as a CSV table",
     {QUERY("group"), QUERY("state")}},
    {EVHTTP_REQ_GET, "/users/table", "user.table", ROUTE_EXPORT, "The same as a file, however many there are",
     {QUERY("group"), QUERY("state")}},
    {EVHTTP_REQ_POST, "/users/import/check", "user.import.check", ROUTE_ASK,
     "What an import of this CSV table would do, and every problem by line and column", {NEED("csv")}},
    {EVHTTP_REQ_POST, "/users/import", "user.import", ROUTE_ASK,
     "Add and change users as a CSV table says: all rows or none", {NEED("csv")}},
    {EVHTTP_REQ_PATCH, "/users/{name}", "user.set", ROUTE_ASK, "Change a user's full name, and what is done about clones of his keys",
     {NEED_PATH("name"), BODY("full-name"), BODY("clone")}},
    {EVHTTP_REQ_GET, "/users/{name}/limits", "user.limits", ROUTE_ASK,
     "A user's own limits, those in force with groups' and defaults, and what is used up", {NEED_PATH("name")}},
    {EVHTTP_REQ_PATCH, "/users/{name}/limits", "user.limit", ROUTE_ASK,
     "Change a user's limits: what is given; \"\" takes one away, none lifts it", {NEED_PATH("name"), USER_LIMITS}},
    {EVHTTP_REQ_POST, "/users/{name}/enable", "user.enable", ROUTE_ASK, "Let a user in again", {NEED_PATH("name")}},
    {EVHTTP_REQ_POST, "/users/{name}/disable", "user.disable", ROUTE_ASK,
     "Close a user's connections and let him in no more", {NEED_PATH("name")}},
    {EVHTTP_REQ_DELETE, "/users/{name}", "user.delete", ROUTE_ASK,
     "Remove a user with his keys and rules", {NEED_PATH("name")}},
    {EVHTTP_REQ_GET, "/users/{user}/profile", "profile", ROUTE_ASK, "The file that sets up a user's PC",
     {NEED_PATH("user"), NEED_QUERY("server"), QUERY("name")}},

    {EVHTTP_REQ_GET, "/groups", "group.list", ROUTE_ASK, "Groups with their members", {QUERY("name"), PAGED}},
    {EVHTTP_REQ_POST, "/groups", "group.add", ROUTE_ASK, "Make a group", {NEED("name")}},
    {EVHTTP_REQ_GET, "/groups/{name}/limits", "group.limits", ROUTE_ASK, "Limits of each member of a group", {NEED_PATH("name")}},
    {EVHTTP_REQ_PATCH, "/groups/{name}/limits", "group.limit", ROUTE_ASK,
     "Change the limits of a group's members: what is given; \"\" takes one away, none lifts it", {NEED_PATH("name"), USER_LIMITS}},
    {EVHTTP_REQ_DELETE, "/groups/{name}", "group.delete", ROUTE_ASK, "Remove a group with its rules", {NEED_PATH("name")}},
    {EVHTTP_REQ_PUT, "/groups/{group}/members/{user}", "group.member.add", ROUTE_ASK,
     "Put a user into a group", {NEED_PATH("group"), NEED_PATH("user")}},
    {EVHTTP_REQ_DELETE, "/groups/{group}/members/{user}", "group.member.remove", ROUTE_ASK,
     "Take a user out of a group", {NEED_PATH("group"), NEED_PATH("user")}},

    {EVHTTP_REQ_GET, "/keys", "key.list", ROUTE_ASK, "Registered keys, each of one device, and what the device said",
     {QUERY("user"), QUERY("state"), PAGED}},
    {EVHTTP_REQ_POST, "/keys", "key.add", ROUTE_ASK, "Register the public key of one of the user's PCs",
     {NEED("user"), NEED("line"), FLAG("any-client"), FLAG("reactivate")}},
    {EVHTTP_REQ_PATCH, "/keys", "key.set", ROUTE_ASK, "Name and place of a device, where alerts about it are mailed, and what is done about clones",
     {NEED("fingerprint"), BODY("user"), BODY("name"), BODY("place"), BODY("mail"), BODY("clone")}},
    {EVHTTP_REQ_GET, "/keys/show", "key.show", ROUTE_ASK,
     "Everything that is known of a device: key, machine tags, user, rules, sessions with ports, records",
     {NEED_QUERY("fingerprint"), QUERY("user")}},
    {EVHTTP_REQ_POST, "/keys/revoke", "key.revoke", ROUTE_ASK, "Close a key's connections and refuse it from now on",
     {NEED("fingerprint"), BODY("user")}},

    {EVHTTP_REQ_POST, "/keys/restore", "key.restore", ROUTE_ASK, "Take back the revocation of a key",
     {NEED("fingerprint"), NEED("user")}},
    {EVHTTP_REQ_POST, "/keys/release", "key.release", ROUTE_ASK,
     "End a key's quarantine and forget its ticket: the PC that comes next gets a new one",
     {NEED("fingerprint"), BODY("user")}},
    {EVHTTP_REQ_POST, "/keys/release-all", "key.release.all", ROUTE_ASK,
     "Forget the tickets of all keys, after an older database was put back", {{0}}},

    {EVHTTP_REQ_GET, "/enrollments", "enroll.list", ROUTE_ASK,
     "One-use codes with which PCs hand in their keys, and the requests that came", {QUERY("user"), QUERY("state"), PAGED}},
    {EVHTTP_REQ_POST, "/enrollments", "enroll.code", ROUTE_ASK, "Make a one-use code for one of the user's PCs",
     {NEED("user"), INT("hours")}},
    {EVHTTP_REQ_POST, "/enrollments/{id}/approve", "enroll.approve", ROUTE_ASK, "Register the key that came", {ID_PATH("id")}},
    {EVHTTP_REQ_POST, "/enrollments/{id}/deny", "enroll.deny", ROUTE_ASK,
     "Refuse a request, or take back a code that nobody has used", {ID_PATH("id")}},

    {EVHTTP_REQ_PUT, "/users/{name}/factor/policy", "user.factor", ROUTE_ASK,
     "Ask a user for a code of his authenticator app: required, off, or inherit (from his groups, else the gateway)",
     {NEED_PATH("name"), NEED("policy")}},
    {EVHTTP_REQ_PUT, "/groups/{name}/factor/policy", "group.factor", ROUTE_ASK,
     "The same for a group's members for whom nothing else is set", {NEED_PATH("name"), NEED("policy")}},
    {EVHTTP_REQ_GET, "/users/{user}/factor", "factor.show", ROUTE_ASK,
     "A user's second factor: is it wanted, is there one, and which devices are not asked just now", {NEED_PATH("user")}},
    {EVHTTP_REQ_POST, "/users/{user}/factor", "factor.begin", ROUTE_ASK,
     "Make a secret for his authenticator app: as text, as otpauth URI and as QR code", {NEED_PATH("user")}},
    {EVHTTP_REQ_POST, "/users/{user}/factor/confirm", "factor.confirm", ROUTE_ASK,
     "Turn it on with a code that the app shows; gives the recovery codes", {NEED_PATH("user"), SECRET("code")}},
    {EVHTTP_REQ_POST, "/users/{user}/factor/recovery", "factor.recovery", ROUTE_ASK,
     "New recovery codes instead of the old ones", {NEED_PATH("user")}},
    {EVHTTP_REQ_DELETE, "/users/{user}/factor", "factor.reset", ROUTE_ASK, "Take a user's second factor away",
     {NEED_PATH("user")}},
    {EVHTTP_REQ_POST, "/users/{user}/factor/forget", "factor.forget", ROUTE_ASK,
     "Ask all devices of a user for a code when they connect the next time", {NEED_PATH("user")}},
    {EVHTTP_REQ_POST, "/users/{user}/factor/retry", "factor.retry", ROUTE_ASK,
     "End the pause after too many wrong codes", {NEED_PATH("user")}},

    {EVHTTP_REQ_GET, "/users/{user}/trouble", "user.trouble", ROUTE_ASK,
     "What went wrong for a user lately, with code, cause and remedy", {NEED_PATH("user"), QUERY("lang")}},
    {EVHTTP_REQ_GET, "/logs", "log.list", ROUTE_ASK, "Log bundles that users have sent", {QUERY("user"), PAGED}},
    {EVHTTP_REQ_GET, "/logs/{id}", "log.show", ROUTE_ASK,
     "What is in a bundle, and whether its logs are whole", {NEED_PATH("id")}},
    {EVHTTP_REQ_GET, "/logs/{id}/timeline", "log.timeline", ROUTE_ASK,
     "Its lines and the gateway's records of the same sessions, by time", {NEED_PATH("id"), PAGED}},
    {EVHTTP_REQ_GET, "/logs/{id}/data", "log.fetch", ROUTE_ASK,
     "A part of the bundle itself, in base64, from an offset on", {NEED_PATH("id"), QUERY_INT("offset")}},
    {EVHTTP_REQ_DELETE, "/logs/{id}", "log.delete", ROUTE_ASK, "Remove a bundle", {NEED_PATH("id")}},

    {EVHTTP_REQ_GET, "/rules", "rule.list", ROUTE_ASK, "Rules in the order in which they are read",
     {QUERY("user"), QUERY("group"), QUERY_FLAG("effective"), PAGED}},
    {EVHTTP_REQ_POST, "/rules", "rule.add", ROUTE_ASK, "Add a rule",
     {BODY("user"), BODY("group"), NEED("name"), NEED("target"), BODY("local"), BODY("fallback"), INT("position"),
      BODY("action"), BODY("from"), BODY("hours"), BODY("expires"), FLAG("log"), RULE_LIMITS}},
    {EVHTTP_REQ_GET, "/rules/export", "rule.export", ROUTE_ASK, "Rules as a CSV table, in their order, in one answer",
     {QUERY("user"), QUERY("group")}},
    {EVHTTP_REQ_GET, "/rules/table", "rule.table", ROUTE_EXPORT, "The same as a file, however many there are",
     {QUERY("user"), QUERY("group")}},
    {EVHTTP_REQ_POST, "/rules/import/check", "rule.import.check", ROUTE_ASK,
     "What an import of this CSV table would do, and every problem by line and column",
     {NEED("csv"), FLAG("replace")}},
    {EVHTTP_REQ_POST, "/rules/import", "rule.import", ROUTE_ASK,
     "Add rules as a CSV table says: all rows or none; replace: instead of those that their users and groups have",
     {NEED("csv"), FLAG("replace")}},
    {EVHTTP_REQ_GET, "/rules/check", "rule.check", ROUTE_ASK,
     "What is odd about the rules of a user (with the groups') or of a group", {QUERY("user"), QUERY("group")}},
    {EVHTTP_REQ_PATCH, "/rules/{id}", "rule.set", ROUTE_ASK, "Change a rule: what is given, \"\" takes a value away",
     {ID_PATH("id"), BODY("name"), BODY("target"), BODY("local"), BODY("fallback"), BODY("action"), BODY("from"),
      BODY("hours"), BODY("expires"), FLAG("log"), RULE_LIMITS}},
    {EVHTTP_REQ_GET, "/rules/history", "rule.history", ROUTE_ASK,
     "What was done to the rules of a user or a group, newest first",
     {QUERY("user"), QUERY("group"), QUERY_INT("limit"), QUERY_INT("before")}},
    {EVHTTP_REQ_POST, "/rules/history/{id}/undo", "rule.undo", ROUTE_ASK, "Take one of these changes back",
     {ID_PATH("id")}},
    {EVHTTP_REQ_POST, "/rules/{id}/move", "rule.move", ROUTE_ASK, "Put a rule at another position",
     {ID_PATH("id"), NEED_INT("position")}},
    {EVHTTP_REQ_DELETE, "/rules/{id}", "rule.delete", ROUTE_ASK, "Remove a rule", {ID_PATH("id")}},

    {EVHTTP_REQ_GET, "/explain", "explain", ROUTE_ASK, "Which rule decides, and why",
     {NEED_QUERY("user"), NEED_QUERY("target"), QUERY("from"), QUERY("at")}},
    {EVHTTP_REQ_GET, "/sessions", "session.list", ROUTE_ASK, "Who is connected now", {QUERY("user"), PAGED}},
    {EVHTTP_REQ_DELETE, "/sessions/{id}", "session.kill", ROUTE_ASK, "End a session",
     {NEED_PATH("id"), QUERY("reason")}},
    {EVHTTP_REQ_GET, "/sessions/{id}", "session.show", ROUTE_ASK, "A session with its open channels", {NEED_PATH("id")}},
    {EVHTTP_REQ_DELETE, "/sessions/{id}/channels/{channel}", "channel.close", ROUTE_ASK,
     "Close one channel and tell the client", {NEED_PATH("id"), NEED_PATH("channel")}},
    {EVHTTP_REQ_GET, "/ports", "port.trouble", ROUTE_ASK,
     "Local ports that connected PCs could not open, and who holds them", {{0}}},
    {EVHTTP_REQ_GET, "/penalties", "penalty.show", ROUTE_ASK, "Sources that are refused for a while", {{0}}},
    {EVHTTP_REQ_DELETE, "/penalties", "penalty.clear", ROUTE_ASK, "Forgive a source, or all", {QUERY("source")}},
    {EVHTTP_REQ_GET, "/live", "live", ROUTE_ASK, "The newest sessions that fit, and sums of all",
     {QUERY("user"), QUERY("search"), QUERY_INT("limit")}},
    {EVHTTP_REQ_GET, "/live/events", "live", ROUTE_STREAM,
     "The same as server-sent events, every two seconds, until the log-in is over",
     {QUERY("user"), QUERY("search"), QUERY_INT("limit")}},
    {EVHTTP_REQ_GET, "/audit", "audit.list", ROUTE_ASK,
     "What happened, newest first. Unless page.complete, ask for the rest with before = page.before",
     {AUDIT_FILTER, QUERY_INT("limit"), QUERY_INT("offset"), QUERY("before")}},
    {EVHTTP_REQ_GET, "/audit/export", "audit.export", ROUTE_EXPORT,
     "What happened, oldest first, as a file: format is csv (otherwise), jsonl or syslog (RFC 5424)",
     {AUDIT_FILTER, QUERY("format")}},
    {EVHTTP_REQ_GET, "/audit/counts", "audit.counts", ROUTE_ASK,
     "How many events of each kind there were on each day, exact even where records were thinned",
     {QUERY("since"), QUERY("until")}},
    {EVHTTP_REQ_GET, "/alerts", "alert.list", ROUTE_ASK, "Alerts, newest first; kept for 90 days",
     {QUERY("kind"), QUERY("severity"), QUERY("state"), PAGED}},
    {EVHTTP_REQ_GET, "/alerts/sums", "alert.sums", ROUTE_ASK, "How many alerts are open, by severity", {{0}}},
    {EVHTTP_REQ_GET, "/alerts/counts", "alert.counts", ROUTE_ASK,
     "How many alerts of each kind there were on each day, exact even where records were thinned",
     {QUERY("since"), QUERY("until")}},
    {EVHTTP_REQ_POST, "/alerts/{id}/judge", "alert.judge", ROUTE_ASK,
     "Say how severe an alert is; whoever was told of it is told that as well",
     {ID_PATH("id"), NEED("severity"), BODY("note")}},
    {EVHTTP_REQ_POST, "/alerts/{id}/ack", "alert.ack", ROUTE_ASK, "Say that an alert is done with",
     {ID_PATH("id"), BODY("note")}},
    {EVHTTP_REQ_GET, "/me/alerts", "alert.mail", ROUTE_ASK, "From which severity on one gets mail", {{0}}},
    {EVHTTP_REQ_PUT, "/me/alerts", "alert.mail.set", ROUTE_ASK,
     "Get mail from this severity on: critical, warning, notice, none", {NEED("minimum")}},
    {EVHTTP_REQ_GET, "/watches", "watch.list", ROUTE_ASK, "Devices that should always be connected", {PAGED}},
    {EVHTTP_REQ_PUT, "/watches", "watch.set", ROUTE_ASK,
     "Alert when a device is away for longer than `after` (10m); 0 = watch it no more",
     {NEED("user"), NEED("fingerprint"), NEED("after")}},
    {EVHTTP_REQ_GET, "/outages", "outage.list", ROUTE_ASK, "Announced outages", {{0}}},
    {EVHTTP_REQ_POST, "/outages", "outage.add", ROUTE_ASK,
     "Announce an outage: nobody is told of devices that are away meanwhile",
     {BODY("since"), NEED("until"), BODY("user"), BODY("note")}},
    {EVHTTP_REQ_DELETE, "/outages/{id}", "outage.remove", ROUTE_ASK, "Take an announcement back", {ID_PATH("id")}},
    {EVHTTP_REQ_GET, "/status", "status", ROUTE_ASK, "Version and counts of the gateway", {{0}}},
    {EVHTTP_REQ_GET, "/port-check", "status", ROUTE_PORTS,
     "The ports of this installation, and whether the gateway's answers 10022 OK!", {{0}}},
    {EVHTTP_REQ_GET, "/pac", "pac", ROUTE_ASK,
     "A file by which a browser sends only the company's names through the tunnel",
     {NEED_QUERY("names"), NEED_QUERY("local")}},
    {EVHTTP_REQ_GET, "/downloads", "download.list", ROUTE_ASK, "Installers of the client, with size and SHA-256", {{0}}},
    {EVHTTP_REQ_GET, "/downloads/{name}", "download.show", ROUTE_FILE, "One of them, or a range of it",
     {NEED_PATH("name")}},
    {EVHTTP_REQ_GET, "/hostkey", "hostkey.show", ROUTE_ASK, "The fingerprint that users compare", {{0}}},

    {EVHTTP_REQ_GET, "/accounts", "account.list", ROUTE_ASK, "Accounts of this tool", {QUERY("name"), PAGED}},
    {EVHTTP_REQ_POST, "/accounts", "account.add", ROUTE_ASK, "Make an account; gives its one-time set-up code",
     {NEED("name"), NEED("role"), BODY("full-name"), BODY("mail"), BODY("expires"), FLAG("send")}},
    {EVHTTP_REQ_PATCH, "/accounts/{name}", "account.set", ROUTE_ASK, "Change an account",
     {NEED_PATH("name"), BODY("role"), BODY("full-name"), BODY("mail"), BODY("expires")}},
    {EVHTTP_REQ_POST, "/accounts/{name}/enable", "account.enable", ROUTE_ASK, "Let an account log in again", {NEED_PATH("name")}},
    {EVHTTP_REQ_POST, "/accounts/{name}/disable", "account.disable", ROUTE_ASK,
     "End an account's log-ins and let it in no more", {NEED_PATH("name")}},
    {EVHTTP_REQ_POST, "/accounts/{name}/reissue", "account.reissue", ROUTE_ASK,
     "Take both steps away and give a new set-up code", {NEED_PATH("name"), FLAG("send")}},
    {EVHTTP_REQ_POST, "/accounts/{name}/reset", "account.reset", ROUTE_ASK,
     "Turn an account's second step off (a lost phone) and end its log-ins", {NEED_PATH("name")}},
    {EVHTTP_REQ_DELETE, "/accounts/{name}", "account.delete", ROUTE_ASK, "Remove an account", {NEED_PATH("name")}},

    {EVHTTP_REQ_GET, "/report", "report", ROUTE_ASK,
     "The report of a month (2026-10; default: the last one) for the organisation or a user",
     {QUERY("month"), QUERY("user"), QUERY("format"), QUERY("lang")}},
    {EVHTTP_REQ_GET, "/report/readers", "report.readers", ROUTE_ASK, "Who gets reports by mail", {{0}}},
    {EVHTTP_REQ_POST, "/report/subscribe", "report.subscribe", ROUTE_ASK,
     "Get the report by mail on the first of each month, or, with off, not any more",
     {BODY("account"), BODY("lang"), FLAG("off")}},
    {EVHTTP_REQ_GET, "/mail", "mail.list", ROUTE_ASK, "Mail that waits, and what became of the last ones",
     {QUERY_INT("id"), QUERY_INT("limit"), QUERY_INT("offset")}},
    {EVHTTP_REQ_POST, "/mail/test", "mail.test", ROUTE_ASK, "Send a test mail to an address", {NEED("address")}},
    {EVHTTP_REQ_POST, "/mail/retry", "mail.retry", ROUTE_ASK, "Try a mail, or all that wait, again now", {INT("id")}},
    {EVHTTP_REQ_DELETE, "/mail/{id}", "mail.drop", ROUTE_ASK, "Remove a mail from the queue", {ID_PATH("id")}},
    {0, NULL, NULL, ROUTE_ASK, NULL, {{0}}},
};
/* clang-format on */

bool route_is_open(const struct route *r)
{
    return r->kind == ROUTE_LOGIN || r->kind == ROUTE_SETUP || r->kind == ROUTE_OPEN;
}

const char *route_method(const struct route *r)
{
    switch (r->method) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    default:
        return "DELETE";
    }
}
