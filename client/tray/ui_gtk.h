/*
 * Small pieces that every window of the tray is made of. All dialogs answer by signals: a nested loop
 * (gtk_dialog_run) and a screen reader's press, which waits for the loop, would wait for each other.
 * Every control has an accessible name.
 */
#ifndef PRA_CLIENT_TRAY_UI_GTK_H
#define PRA_CLIENT_TRAY_UI_GTK_H

#include <gtk/gtk.h>

#include "client/tray/app_gtk.h"
#include "client/tray/ask.h"

#define UI_SPACE 12

/* A dialog without buttons; its content box has margins. Destroyed by whoever made it. */
GtkWidget *ui_dialog(struct tray_app *app, const char *title);
GtkWidget *ui_content(GtkWidget *dialog);
/* Shows it when it is built, with the focus on `first` (NULL = as it is). `answered` is its "response"
   with `who`, `gone` its "destroy" with `ui`. */
void ui_dialog_show(GtkWidget *dialog, GtkWidget *first, GCallback answered, gpointer who,
                    GCallback gone, gpointer ui);

/* What a screen reader says. Returns `w`. */
GtkWidget *ui_name(GtkWidget *w, const char *name);

GtkWidget *ui_label(const char *text);   /* left, wrapped, can be marked with the mouse */
GtkWidget *ui_heading(const char *text); /* bold */
GtkWidget *ui_entry(const char *name);
GtkWidget *ui_secret(const char *name);  /* shows dots */
GtkWidget *ui_button(const char *label); /* with mnemonic */

/*
 * A bar of progress with words in it, hidden until ui_progress_run(). `part` says how far it is, 0 to 1, or
 * less than 0 where that is not known; NULL = never known.
 */
GtkWidget *ui_progress(double (*part)(gconstpointer data), gconstpointer data);
/* Shows it with these words and draws it from time to time, or hides it. */
void ui_progress_run(GtkWidget *bar, bool on, const char *words);
/* The buttons of a dialog: cancel, and `action`, which Enter presses. */
void ui_yes_no(GtkWidget *dialog, const char *action);

/* A row "label: widget" of a grid; the label's mnemonic leads to the widget. */
void ui_row(GtkWidget *grid, int row, const char *label, GtkWidget *widget);
GtkWidget *ui_grid(void);

/* A box that shows what is wrong: hidden until ui_trouble_show(), and by one without a title. */
GtkWidget *ui_trouble(void);
void ui_trouble_show(GtkWidget *box, const char *title, const char *cause, const char *remedy);

/* Asks which file to open; `chosen` gets the path (borrowed). `pattern` as in "*.pra". */
void ui_open(struct tray_app *app, const char *title, const char *pattern,
             void (*chosen)(gpointer data, const char *path), gpointer data);

/* Asks where to save; `chosen` gets the path (borrowed). `name` is proposed. */
void ui_save_as(struct tray_app *app, GtkWidget *parent, const char *title, const char *name,
                void (*chosen)(gpointer data, const char *path), gpointer data);

#endif
