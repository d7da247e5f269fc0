#!/bin/sh
# A model for examples/adapter_program.lua: answers every question with how many bytes it had.
bytes=$(wc -c)
printf '{"text": "I was asked %d bytes.", "finish_reason": "stop"}\n' "$bytes"
