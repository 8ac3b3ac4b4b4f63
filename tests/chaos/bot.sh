#!/bin/sh
# Starts the bot for a fault harness: users 1000 to 1019 are members, group -100 is their channel. Settings come from the environment.
set -e
if [ ! -f "$SHAREWISE_DATA_DIR/members" ]; then
    sharewise member add --telegram-id $(seq 1000 1019) --role practitioner --team chaos >/dev/null
    sharewise team set chaos --channel -100 >/dev/null
    touch "$SHAREWISE_DATA_DIR/members"
fi
exec sharewise serve
