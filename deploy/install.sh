#!/usr/bin/env bash
# Installs Holdfast for good on Debian 12 or newer and Raspberry Pi OS, 64-bit. Run it as root, once or
# again: what is there already stays. docs/installation.md tells the rest.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

usage() {
  cat <<'TEXT'
deploy/install.sh [--wheel FILE | --from FOLDER] [--site NAME] [--extras LIST] [--trust FILE]
deploy/install.sh --remove [--purge]

  --wheel FILE    install this wheel of Holdfast
  --from FOLDER   install from this source tree (default: the one that this script is in)
  --site NAME     the site to set up (default: home); more than one: run it once for each
  --extras LIST   what some devices need: mqtt, sunspec, gpio, dbc; and forecast, parquet
  --trust FILE    whose updates are taken: 1.root.json of a publisher (docs/updates.md)
  --remove        take Holdfast away; sites stay
  --purge         with --remove: the sites, too, with all that they have recorded
TEXT
}

root=/opt/holdfast
sites=/var/lib/holdfast
user=holdfast
here=$(cd "$(dirname "$0")/.." && pwd)
wheel='' from=$here site=home extras='' trust='' remove='' purge=''
left_out=()

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --wheel | --from | --site | --extras | --trust)
        [ $# -gt 1 ] || fail "$1 needs a value"
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      --remove) remove=yes ;;
      --purge) purge=yes ;;
      --help | -h) usage; exit 0 ;;
      *) usage >&2; fail "$1 is not known" ;;
    esac
    shift
  done
  [[ $site =~ ^[a-z0-9][a-z0-9_-]{0,30}$ ]] ||
    fail "--site $site: a name of small letters, digits, - and _, at most 31"
  [[ $extras =~ ^([a-z]+(,[a-z]+)*)?$ ]] || fail "--extras $extras: names with commas, such as mqtt,sunspec"
  [ -z "$wheel" ] || [ -f "$wheel" ] || fail "--wheel $wheel: there is no such file"
  [ -z "$trust" ] || [ -f "$trust" ] || fail "--trust $trust: there is no such file"
  [ -n "$wheel$remove" ] || [ -f "$from/pyproject.toml" ] || fail "--from $from: there is no source tree of Holdfast"
  [ -z "$purge" ] || [ -n "$remove" ] || fail "--purge goes with --remove"
  [ "$(id -u)" = 0 ] || fail "this has to be run as root: sudo $0"
}

# ---- what it needs

check_computer() {
  command -v apt-get >/dev/null || fail "this is for Debian and Raspberry Pi OS: apt-get is missing"
  local architecture
  architecture=$(dpkg --print-architecture)
  case $architecture in
    amd64 | arm64) ;;
    *) fail "this system is $architecture; Holdfast needs a 64-bit one, amd64 or arm64" ;;
  esac
  local free_mb
  free_mb=$(df -Pm /opt | awk 'NR == 2 { print $4 }')
  [ "$free_mb" -ge 800 ] || fail "only $free_mb MB are free on the disk of /opt; installing takes up to 800"
}

packages() {
  local wanted="python3 python3-venv ca-certificates tzdata sudo" missing='' package
  for package in $wanted; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=" $package"
  done
  if [ -n "$missing" ]; then
    say "installing$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # several words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  fi
  # Debian's own: another one may vanish with whoever put it there.
  /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(/usr/bin/python3 --version) is too old: 3.11 or newer, as of Debian 12, is needed"
}

# ---- user and folders

the_user() {
  getent group $user >/dev/null || groupadd --system $user
  # GPIO lines: Raspberry Pi OS has this group, Debian has not.
  getent group gpio >/dev/null || groupadd --system gpio
  getent passwd $user >/dev/null ||
    useradd --system --gid $user --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin $user
  usermod --append --groups dialout,gpio $user
}

folders() {
  install -d -m 755 $root $root/bin $sites
}

# ---- the code

# Puts a wheel of the source tree into $1. It is built beside it: nothing of root's is left in there.
build_wheel() {
  say "building from $from"
  mkdir "$1/source"
  tar -C "$from" --exclude=./.git --exclude=./.venv --exclude=./build --exclude=node_modules -c . | tar -x -C "$1/source"
  "$1/builder/bin/pip" wheel --quiet --quiet --no-cache-dir --no-deps --wheel-dir "$1/wheel" "$1/source"
  wheel=$(echo "$1"/wheel/*.whl)
}

# The slot that does not run now: a, when there is none.
other_slot() { [ "$(readlink $root/current || true)" = a ] && echo b || echo a; }

# What a slot was made of: the same again is left as it is.
fingerprint() {
  if [ -n "$wheel" ]; then
    sha256sum <"$wheel"
  else
    (cd "$from" && find holdfast pages pyproject.toml requirements.txt build_backend -type f \
      ! -path '*/node_modules/*' ! -path '*/__pycache__/*' ! -path 'holdfast/ui/static/*' -print0 |
      sort -z | xargs -0 sha256sum | sha256sum)
  fi | awk -v extras="$extras" '{ print $1, extras }'
}

the_code() {
  local made_of slot work
  made_of=$(fingerprint)
  if [ "$(cat $root/current/.made-of 2>/dev/null)" = "$made_of" ]; then
    say "$root/$(readlink $root/current) has it already"
    return
  fi
  slot=$(other_slot)
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # its name as it is now
  trap "rm -rf '$work'" EXIT
  # A builder apart: the slot holds what runs, and no pip.
  /usr/bin/python3 -m venv "$work/builder"
  [ -n "$wheel" ] || build_wheel "$work"
  say "installing $(basename "$wheel")${extras:+ with $extras} into slot $slot; this takes some minutes"
  rm -rf "${root:?}/$slot"
  /usr/bin/python3 -m venv --without-pip "$root/$slot"
  local pins=()
  [ ! -f "$here/requirements.txt" ] || pins=(-c "$here/requirements.txt")
  "$work/builder/bin/pip" --python "$root/$slot/bin/python" install --quiet --quiet --no-cache-dir --no-compile \
    --prefer-binary "${pins[@]}" "$(realpath "$wheel")${extras:+[$extras]}"
  slim_and_compile "$root/$slot"
  echo "$made_of" >"$root/$slot/.made-of"
  sync -f $root
  ln -sfn "$slot" $root/current.new
  mv -T $root/current.new $root/current
}

# Takes out what only others' developers need, a fifth of all; compiles what Holdfast loads, and no more.
slim_and_compile() {
  find "$1/lib" -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.exe' \) -delete
  find "$1/lib" -type d \( -name tests -o -name test -o -path '*/_core/include' -o -path '*/numpy/f2py' \
    -o -path '*/numpy/distutils' -o -path '*/sqlalchemy/testing' \) -prune -exec rm -rf {} +
  # One library under two names, which a wheel can only hold twice.
  local solver
  for solver in "$1"/lib/python3*/site-packages/highspy/libhighs.so.1.*; do
    if cmp -s "$solver" "${solver%/*}/libhighs.so.1"; then ln -f "$solver" "${solver%/*}/libhighs.so.1"; fi
  done
  "$1/bin/python" -P - <<'PYTHON'
import importlib, pkgutil
import holdfast
for module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
    if not module.name.startswith("holdfast.testing"):
        importlib.import_module(module.name)
PYTHON
}

# ---- what the computer knows of it: from the slot, so that the two belong together

of_the_slot() { echo $root/current/lib/python3*/site-packages/holdfast/deployment; }

the_system() {
  local own
  own=$(of_the_slot)
  install -D -m 755 "$own/system/holdfast" /usr/local/bin/holdfast
  install -D -m 755 "$own/holdfast-slot" $root/bin/holdfast-slot
  [ -z "$trust" ] || install -m 644 "$trust" $root/root.json
  [ -e $root/root.json ] || left_out+=("whose updates are taken: --trust FILE (docs/updates.md)")
  install -D -m 440 "$own/system/holdfast.sudoers" /etc/sudoers.d/holdfast
  install -D -m 644 "$own/system/holdfast.rules" /etc/udev/rules.d/60-holdfast.rules
  install -D -m 644 "$own/system/holdfast.modules" /etc/modules-load.d/holdfast.conf
  install -D -m 644 -t /etc/systemd/system "$own"/units/*
  visudo -qc || fail "/etc/sudoers.d/holdfast does not suit this sudo"
  if has_systemd; then
    systemctl daemon-reload
    systemctl try-restart systemd-modules-load.service || left_out+=("kernel modules for serial adapters: load at the next boot")
  else
    left_out+=("systemd does not run here: nothing was started, and nothing will start by itself")
  fi
  if [ -S /run/udev/control ]; then
    udevadm control --reload && udevadm trigger --subsystem-match=gpio --subsystem-match=misc
  else
    left_out+=("udev does not run here: rights on GPIO lines and hardware watchdog come with it")
  fi
}

has_systemd() { [ -d /run/systemd/system ]; }

# ---- the site

# How far from the usual ones the first two ports are that no site here has. Without a key, a site has those.
ports_on() {
  local n=0
  ! others || n=1
  while grep -qsE "port: ($((9464 + n))|$((9480 + n)))\b" $sites/*/site.yaml; do n=$((n + 1)); done
  echo $n
}

others() { compgen -G "$sites/*/site.yaml" >/dev/null; }

the_site() {
  local folder=$sites/$site
  install -d -m 750 -o $user -g $user "$folder"
  if [ -e "$folder/site.yaml" ]; then
    say "$folder/site.yaml is left as it is"
    [ ! -d /etc/systemd/system ] || enable
    return
  fi
  local on
  on=$(ports_on)
  (cd "$folder" && runuser -u $user -- /usr/local/bin/holdfast init --example site.yaml >/dev/null)
  sed -i "s/^name: .*/name: $site/; s/9464/$((9464 + on))/g; s/9480/$((9480 + on))/g" "$folder/site.yaml"
  chmod 640 "$folder/site.yaml"
  chown $user:$user "$folder/site.yaml"
  enable
  # What was written just now observes, and writes to no device. Another's site.yaml may do more.
  if has_systemd; then
    systemctl start "holdfast@$site" || left_out+=("holdfast@$site does not start: journalctl -u holdfast@$site")
  fi
}

enable() {
  if command -v systemctl >/dev/null; then
    systemctl enable --quiet "holdfast@$site" holdfast-slot holdfast-update 2>/dev/null ||
      left_out+=("holdfast@$site was not enabled")
  else
    left_out+=("there is no systemctl: holdfast@$site is not enabled")
  fi
}

tell() {
  say ""
  say "Holdfast is in $root/$(readlink $root/current), the site $site in $sites/$site"
  local line
  for line in "${left_out[@]}"; do say "left out: $line"; done
  cat <<TEXT
Next:
  usermod -aG $user NAME                        who may work with the site; he logs in again
  sudo -u $user holdfast init --replace $sites/$site/site.yaml
                                                 asks what is installed there (--page: in a browser)
  systemctl stop holdfast@$site; holdfast check --connect; systemctl start holdfast@$site
                                                 does each device answer?
  holdfast users setup-code                        the code that makes the first account
TEXT
}

# ---- taking it away

remove() {
  local unit
  if has_systemd; then
    # Each goes to 0 W with its contactors open.
    systemctl stop 'holdfast@*.service' 'holdfast*.timer' || true
  fi
  if [ -e $root/current ]; then
    for unit in $(of_the_slot)/units/*; do rm -f "/etc/systemd/system/$(basename "$unit")"; done
  fi
  rm -f /etc/systemd/system/*.wants/holdfast* /etc/systemd/system/holdfast@.service
  rm -f /usr/local/bin/holdfast /etc/sudoers.d/holdfast /etc/udev/rules.d/60-holdfast.rules \
    /etc/modules-load.d/holdfast.conf
  rm -rf $root /var/cache/holdfast
  if has_systemd; then systemctl daemon-reload; fi
  if [ -n "$purge" ]; then
    rm -rf $sites
    getent passwd $user >/dev/null && userdel $user
    getent group $user >/dev/null && groupdel $user
    say "Holdfast and its sites are gone"
  else
    say "Holdfast is gone; $sites stays, with the user $user to whom it belongs (--purge takes both)"
  fi
}

read_arguments "$@"
if [ -n "$remove" ]; then
  remove
  exit
fi
check_computer
packages
the_user
folders
the_code
the_system
the_site
tell
