#!/usr/bin/env bash
# Runs a command with a real OS keyring (gnome-keyring's Secret Service), unlocked, in a D-Bus session of its own and with
# home and XDG folders of its own. Keeps the command's exit status and leaves no daemon behind.
# Needs Debian's gnome-keyring, dbus-daemon, dbus-bin and dbus-x11.
#
#   keyring.sh COMMAND [ARG ...]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME="$folder" XDG_DATA_HOME="$folder/data" XDG_CACHE_HOME="$folder/cache" XDG_CONFIG_HOME="$folder/config" \
  XDG_RUNTIME_DIR="$folder/run"
mkdir -m 700 -p "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME" "$XDG_RUNTIME_DIR"
unset DISPLAY WAYLAND_DISPLAY PYTHON_KEYRING_BACKEND
dbus-run-session -- bash -c '
  printf "test\n" | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
  daemon=$!
  for _ in $(seq 300); do
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
      string:org.freedesktop.secrets 2>/dev/null | grep -q "boolean true" && break
    sleep 0.1
  done
  status=0
  "$@" || status=$?
  kill "$daemon" 2>/dev/null || true
  exit "$status"' _ "$@"
