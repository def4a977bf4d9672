#ifndef PROXYD_HTML_SCRIPT_H
#define PROXYD_HTML_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a script element's text is code, import maps and speculation rules
 * included, by its type or language attribute (HTML standard, "prepare the
 * script element").
 */
bool html_script_type_is_code(const char *type, size_t len);
bool html_script_language_is_code(const char *language, size_t len);

#endif
