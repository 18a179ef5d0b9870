/* Telling systemd how the service does (sd_notify(3), without its library). */
#ifndef PRA_SERVER_PRAD_NOTIFY_H
#define PRA_SERVER_PRAD_NOTIFY_H

/* Sends e.g. "READY=1" to $NOTIFY_SOCKET; nothing without one. */
void notify_send(const char *state);

#endif
