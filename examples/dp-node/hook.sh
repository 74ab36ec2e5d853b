#!/bin/sh
# Tells the DP to do what nobody can make it do from outside: hook.sh ACTION [ID [STATUS]]
exec curl -fsS -X POST "http://127.0.0.1:${DP_ADMIN_PORT:-9445}/$1/$2/$3"
