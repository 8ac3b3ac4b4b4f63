#!/bin/sh
# Starts the bot for a fault harness: users 1000 to 1019 are members, group -100 is their channel. Settings come from the
# environment. DATABASE_FROM: a SQLite file that has them already, copied. WEBHOOK_PORT: updates are posted there instead of polled. WORKERS: how many (PostgreSQL for more than one).
set -e
if [ -n "$DATABASE_FROM" ]; then
    if [ ! -f "$SHAREWISE_DATA_DIR/sharewise.db" ]; then
        cp "$DATABASE_FROM" "$SHAREWISE_DATA_DIR/begun"
        mv "$SHAREWISE_DATA_DIR/begun" "$SHAREWISE_DATA_DIR/sharewise.db"
    fi
elif [ ! -f "$SHAREWISE_DATA_DIR/members" ]; then
    sharewise member add --telegram-id $(seq 1000 1019) --role practitioner --team chaos >/dev/null
    sharewise team set chaos --channel -100 >/dev/null
    touch "$SHAREWISE_DATA_DIR/members"
fi
if [ -n "$WEBHOOK_PORT" ]; then
    # Telegram is told once something listens: to a harness that is when the bot is there.
    (
        until python3 -c "import socket; socket.create_connection(('127.0.0.1', $WEBHOOK_PORT), 1)" 2>/dev/null; do sleep 0.1; done
        sleep "${SETTLE:-0}"
        sharewise webhook set "http://127.0.0.1:$WEBHOOK_PORT" >/dev/null 2>&1 # a fake may not know what it is asked next
    ) &
    exec sharewise serve --workers "${WORKERS:-1}" --webhook --listen "127.0.0.1:$WEBHOOK_PORT"
fi
exec sharewise serve --workers "${WORKERS:-1}"
