# tetherd: see README.md for what the targets do.

VERSION = 0.1.0

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/tetherd
MANDIR     ?= $(PREFIX)/share/man

# Objects of different sanitizers do not mix, so each gets its own folder.
SANITIZE ?=
comma := ,
B := build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))

PKG_CONFIG ?= pkg-config
cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
libs   = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
	-Wformat=2 -Wold-style-definition -Wswitch-enum
ifeq ($(CI),true)
WARNINGS += -Werror
endif
ifeq ($(SANITIZE),)
HARDEN = -D_FORTIFY_SOURCE=3
else
HARDEN = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
HARDEN += -fstack-protector-strong -fstack-clash-protection -fPIE \
	-fcf-protection -ftrivial-auto-var-init=zero
LDHARDEN = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed

CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 $(WARNINGS) $(HARDEN) -fdata-sections \
	-ffunction-sections
override CPPFLAGS += -I. -D_GNU_SOURCE -DTETHERD_VERSION='"$(VERSION)"' \
	-DTETHERD_LIBEXEC='"$(LIBEXECDIR)"' \
	$(call cflags,libbsd-overlay libevent json-c libcurl sqlite3 openssl)
override LDFLAGS += $(LDHARDEN) -Wl,--gc-sections \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE))

# Each program and test links what its folder needs, and nothing else.
LIBS_common    = $(call libs,libevent_core libbsd-overlay)
LIBS_ws        = -lwslay $(call libs,libmd)
LIBS_tetherd   = $(LIBS_common)
LIBS_dialer    = $(LIBS_common)
LIBS_connector = $(LIBS_common) $(LIBS_ws) $(call libs,libevent_openssl json-c openssl)
LIBS_proxyd    = $(LIBS_common) $(call libs,json-c libcurl)
LIBS_authd     = $(LIBS_common) $(call libs,sqlite3 json-c libcrypto)
LIBS_hub       = $(LIBS_common) $(LIBS_ws) $(call libs,libevent_extra json-c)

ROOMS = common sandbox tetherd dialer connector proxyd authd hub
OBJS_common    := $(patsubst %.c,$(B)/%.o,$(wildcard common/*.c))
OBJS_sandbox   := $(patsubst %.c,$(B)/%.o,$(wildcard sandbox/*.c))
OBJS_dialer    := $(patsubst %.c,$(B)/%.o,$(wildcard tetherd/dialer*.c))
OBJS_tetherd   := $(filter-out $(OBJS_dialer),$(patsubst %.c,$(B)/%.o,$(wildcard tetherd/*.c)))
OBJS_connector := $(patsubst %.c,$(B)/%.o,$(wildcard connector/*.c))
OBJS_proxyd    := $(patsubst %.c,$(B)/%.o,$(wildcard proxyd/*.c))
OBJS_authd     := $(patsubst %.c,$(B)/%.o,$(wildcard authd/*.c))
OBJS_hub       := $(patsubst %.c,$(B)/%.o,$(wildcard hub/*.c))

# The programs, by the folder that they come from; the main file of each
# stays out of the archive that its unit tests link.
CHILDREN = connector proxyd authd dialer
BINARIES = $(B)/sbin/tetherd $(CHILDREN:%=$(B)/libexec/tetherd/%) $(B)/bin/tether-hub
MAIN_tetherd   = $(B)/tetherd/main.o
MAIN_dialer    = $(B)/tetherd/dialer_main.o
MAIN_connector = $(B)/connector/main.o
MAIN_proxyd    = $(B)/proxyd/main.o
MAIN_authd     = $(B)/authd/main.o
MAIN_hub       = $(B)/hub/main.o

all: $(BINARIES)

define archive
$(B)/lib$(1).a: $$(filter-out $$(MAIN_$(1)),$$(OBJS_$(1)))
	@rm -f $$@
	$$(if $$^,ar rcs $$@ $$^,ar rcs $$@)
endef
$(foreach room,$(ROOMS),$(eval $(call archive,$(room))))

# $(1): the room, $(2): where the program goes, as it does when installed.
define program
$(2): $$(MAIN_$(1)) $(B)/lib$(1).a $(B)/libsandbox.a $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(eval $(call program,tetherd,$(B)/sbin/tetherd))
$(eval $(call program,hub,$(B)/bin/tether-hub))
$(foreach c,$(CHILDREN),$(eval $(call program,$(c),$(B)/libexec/tetherd/$(c))))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# Unit tests: one program per file, in a folder named for the room.
UNIT := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/test_*.c))
.SECONDEXPANSION:
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/lib$$(*D).a $(B)/libsandbox.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_$(*D)) $(LIBS_ws) $(call libs,cmocka)

unit: $(UNIT)
	@set -e; for t in $(UNIT); do echo "# $$t"; $$t; done

clean:
	rm -rf build

.PHONY: all unit clean
