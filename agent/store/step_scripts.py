"""The Lua scripts for what is to happen with the line of a call; `NextStep` has the rules."""

from agent.store.due_scripts import NOW
from agent.store.scripts import PREAMBLE, STEP

# ARGV: ttl_s, request, then kind and target of a step that the
# server or the caller asks for ("" to claim what the agent has asked for), and who asks.
CLAIM_STEP = f"""{PREAMBLE}{STEP}
local request, kind, mine = ARGV[2], ARGV[3], 0
if ARGV[5] == 'caller' then
  if step('by') == '' then
    create()
    ask(0, kind, ARGV[4], 'caller')
  elseif step('by') ~= 'caller' then
    refresh()
    return {{0, redis.call('HGETALL', call)}}
  end
elseif kind ~= '' and step('by') ~= 'server' then
  create()
  ask(tonumber(step('n')) + 1, kind, ARGV[4], 'server')
end
local stage = step('stage')
if stage == 'intended' then
  redis.call('HSET', call, 'next_step_stage', 'running', 'next_step_claim', request)
  mine = 1
elseif stage == 'running' then
  if request ~= '' and request == step('claim') then mine = 1
  else ends('unknown') end
end
refresh()
return {{mine, redis.call('HGETALL', call)}}
"""

# ARGV: ttl_s, outcome.
SETTLE_STEP = f"""{PREAMBLE}{STEP}
local stage = step('stage')
if stage == 'running' or stage == 'unknown' then
  redis.call('HSET', call, 'next_step_outcome', ARGV[2])
  ends('done')
end
refresh()
return redis.call('HGETALL', call)
"""

# ARGV: ttl_s, number of the step, summary, the number that calls.
HOLD_LINE = f"""{PREAMBLE}{STEP}
if step('n') == ARGV[2] and step('stage') == 'running' and step('leg') == '' then
  redis.call('HSET', call, 'next_step_leg', 'held', 'next_step_summary', ARGV[3],
    'next_step_ours', ARGV[4])
end
refresh()
return redis.call('HGETALL', call)
"""

# ARGV: ttl_s, number of the step, id of the leg ("" for any), where it goes ("" to stay), outcome
# ("" if the step goes on), then where it may stand before.
MOVE_LEG = f"""{PREAMBLE}{STEP}
local id, to, outcome, known, moved = ARGV[3], ARGV[4], ARGV[5], step('leg_id'), 0
local mine = id == '' or known == '' or id == known
if step('n') == ARGV[2] and step('stage') == 'running' and mine then
  local leg = step('leg')
  for i = 6, #ARGV do
    if leg == ARGV[i] then moved = 1 end
  end
end
if moved == 1 then
  if to ~= '' then redis.call('HSET', call, 'next_step_leg', to) end
  if id ~= '' then redis.call('HSET', call, 'next_step_leg_id', id) end
  if outcome ~= '' then
    redis.call('HSET', call, 'next_step_stage', 'done', 'next_step_outcome', outcome)
  end
end
refresh()
return {{moved, redis.call('HGETALL', call)}}
"""

# The call may be over by now, for a reason that is a guess. ARGV: ttl_s, number of the step, the
# guess, the reason.
ANSWERED = f"""{PREAMBLE}{STEP}
local stage = step('stage')
local mine = step('n') == ARGV[2] and redis.call('HGET', call, 'next_step') == 'transfer'
if mine and (stage == 'running' or stage == 'unknown') and step('leg') == '' then
  redis.call('HSET', call, 'next_step_answered', '1')
  if completed() and redis.call('HGET', call, 'ended_reason') == ARGV[3] then
    redis.call('HSET', call, 'ended_reason', ARGV[4])
  end
end
refresh()
return redis.call('HGETALL', call)
"""

# KEYS: the calls whose callers wait, by when somebody has to look after them. ARGV: ttl_s, call,
# in how many ms, whether that may be sooner than what stands there.
WATCH_LINE = f"""{NOW}
if ARGV[4] == '1' then redis.call('ZADD', KEYS[1], in_ms(ARGV[3]), ARGV[2])
else redis.call('ZADD', KEYS[1], 'GT', in_ms(ARGV[3]), ARGV[2]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {{}}
"""
