"""The Lua scripts for what is to happen with the line of a call; `NextStep` has the rules."""

from agent.store.scripts import PREAMBLE, STEP

# ARGV: ttl_s, request, then kind and target of a step that the
# server asks for ("" to claim what the agent has asked for).
CLAIM_STEP = f"""{PREAMBLE}{STEP}
local request, kind, mine = ARGV[2], ARGV[3], 0
if kind ~= '' and step('by') ~= 'server' then
  create()
  ask(tonumber(step('n')) + 1, kind, ARGV[4], 'server')
end
local stage = step('stage')
if stage == 'intended' then
  redis.call('HSET', call, 'next_step_stage', 'running', 'next_step_claim', request)
  mine = 1
elseif stage == 'running' then
  if request ~= '' and request == step('claim') then mine = 1
  else redis.call('HSET', call, 'next_step_stage', 'unknown') end
end
refresh()
return {{mine, redis.call('HGETALL', call)}}
"""

# ARGV: ttl_s, outcome.
SETTLE_STEP = f"""{PREAMBLE}{STEP}
local stage = step('stage')
if stage == 'running' or stage == 'unknown' then
  redis.call('HSET', call, 'next_step_stage', 'done', 'next_step_outcome', ARGV[2])
end
refresh()
return redis.call('HGETALL', call)
"""
