"""The Lua scripts that run atomically in Redis.

Every script gets the keys of one call in the same order, and the expiry as first argument, so
they share one preamble. All replies are arrays of strings and integers.
"""

COST_PREFIX = "cost_"
"""How the fields begin that say what a call has cost besides."""

PREAMBLE = """
local call, lines, checkpoint, extra = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ttl_s = ARGV[1]

-- number and epoch of the last line stored
local function last_line()
  local last = redis.call('XREVRANGE', lines, '+', '-', 'COUNT', 1)[1]
  if not last then return 0, 0 end
  local epoch, n = string.match(last[1], '^(%d+)%-(%d+)$')
  return tonumber(n), tonumber(epoch)
end

-- the lines count too: a full server may evict the record and leave them
local function current_epoch()
  local _, written = last_line()
  return math.max(tonumber(redis.call('HGET', call, 'epoch') or 0), written)
end

local function create()
  if redis.call('EXISTS', call) == 0 then
    redis.call('HSET', call, 'status', 'ringing', 'ended_reason', '', 'epoch', 0, 'owner', '')
    redis.call('EXPIRE', call, ttl_s)  -- now: a script that fails further down is not undone
  end
end

local function completed()
  return redis.call('HGET', call, 'status') == 'completed'
end

local function forget_keys()  -- the step is over: only what may be kept of it stays
  local kept = redis.call('HGET', call, 'next_step_kept') or ''
  if kept ~= '' then
    redis.call('HSET', call, 'next_step_to', kept, 'next_step_kept', '')
  end
end

local function complete(reason)  -- the first reason stands
  forget_keys()
  redis.call('HSET', call, 'status', 'completed')
  if (redis.call('HGET', call, 'ended_reason') or '') == '' then
    redis.call('HSET', call, 'ended_reason', reason)
  end
end

local function own(epoch)
  create()
  redis.call('HSET', call, 'epoch', epoch)
  if not completed() then redis.call('HSET', call, 'status', 'in-progress') end
end

local function began(persona, hours)  -- of a record that does not say so
  if persona == '' or (redis.call('HGET', call, 'persona') or '') ~= '' then return end
  redis.call('HSET', call, 'persona', persona)
  if hours ~= 'open' then redis.call('HSET', call, 'hours', hours) end
end

local function refresh()
  for _, key in ipairs({call, lines, checkpoint}) do redis.call('EXPIRE', key, ttl_s) end
end

local function record()
  return redis.call('HGETALL', call), redis.call('GET', checkpoint)
end
"""

FENCE = """
local epoch = tonumber(ARGV[2])
local current = current_epoch()
if current > epoch then return {'fenced', current} end
"""

STEP = """
local function step(field)
  return redis.call('HGET', call, 'next_step_' .. field) or (field == 'n' and '0' or '')
end

local function ends(stage)
  redis.call('HSET', call, 'next_step_stage', stage)
  forget_keys()
end

local function ask(n, kind, to, by, kept)
  redis.call('HSET', call, 'next_step', kind, 'next_step_n', n, 'next_step_to', to,
    'next_step_by', by, 'next_step_stage', 'intended', 'next_step_claim', '',
    'next_step_outcome', '', 'next_step_kept', kept or '')
  redis.call('HDEL', call, 'next_step_leg', 'next_step_leg_id', 'next_step_summary',
    'next_step_ours', 'next_step_answered')
end
"""

# ARGV: ttl_s, persona, caller ("" if unknown), direction, hours.
OPEN_CALL = f"""{PREAMBLE}
if redis.call('EXISTS', call) == 0 then
  create()
  redis.call('HSET', call, 'persona', ARGV[2])
  if ARGV[3] ~= '' then redis.call('HSET', call, 'caller', ARGV[3]) end
  if ARGV[4] ~= 'inbound' then redis.call('HSET', call, 'direction', ARGV[4]) end
  if ARGV[5] ~= 'open' then redis.call('HSET', call, 'hours', ARGV[5]) end
end
refresh()
return {{record()}}
"""

LOOK_UP = f"""{PREAMBLE}
local fields, saved = record()
return {{fields, saved, redis.call('XRANGE', lines, '-', '+')}}
"""

# ARGV: ttl_s, persona, hours.
NOTE_BEGINNING = f"""{PREAMBLE}
create()
began(ARGV[2], ARGV[3])
refresh()
return {{'ok', 0}}
"""

# KEYS[4] marks the token as used. ARGV: ttl_s, owner, token_ttl_s, channel, persona, hours.
TAKE = f"""{PREAMBLE}{STEP}
if not redis.call('SET', extra, '1', 'NX', 'EX', ARGV[3]) then return false end
if completed() then return false end
local epoch = current_epoch() + 1
own(epoch)
began(ARGV[5], ARGV[6])
redis.call('HSET', call, 'owner', ARGV[2])
if step('stage') == 'running' then ends('unknown') end
if step('leg') ~= '' then redis.call('HSET', call, 'next_step_leg', 'back') end
refresh()
local told = redis.call('PUBLISH', ARGV[4], 'taken ' .. string.format('%d', epoch))
local fields, saved = record()
return {{epoch, told, fields, saved, redis.call('XRANGE', lines, '-', '+')}}
"""

# ARGV: ttl_s, epoch, then n, role, text, heard, at_ms, epoch of each line.
APPEND = f"""{PREAMBLE}{FENCE}
local n = last_line()
if ARGV[3] and tonumber(ARGV[3]) > n + 1 then return {{'gap', n + 1}} end
own(epoch)
for i = 3, #ARGV, 6 do
  if tonumber(ARGV[i]) == n + 1 then
    redis.call('XADD', lines, ARGV[2] .. '-' .. ARGV[i], 'n', ARGV[i], 'role', ARGV[i + 1],
      'text', ARGV[i + 2], 'heard', ARGV[i + 3], 'at_ms', ARGV[i + 4], 'epoch', ARGV[i + 5])
    n = n + 1
  end
end
refresh()
return {{'ok', n}}
"""

# ARGV: ttl_s, epoch, checkpoint, usd, tokens, seconds, notes, the epoch since which it was
# measured and what came of that ("" for nothing), then number (0 for none), kind, target and what
# is kept of it, of the next step. A conversation that no longer wants it takes it back.
SAVE_CHECKPOINT = f"""{PREAMBLE}{FENCE}{STEP}
own(epoch)
redis.call('SET', checkpoint, ARGV[3])
redis.call('HSET', call, 'usd', ARGV[4], 'tokens', ARGV[5], 'seconds', ARGV[6])
if ARGV[7] ~= '' then redis.call('HSET', call, 'notes', ARGV[7]) end
if ARGV[9] ~= '' then redis.call('HSET', call, 'measured_' .. ARGV[8], ARGV[9]) end
local n, known = tonumber(ARGV[10]), tonumber(step('n'))
if n > known then
  ask(n, ARGV[11], ARGV[12], 'agent', ARGV[13])
elseif n ~= known and step('stage') == 'intended' then
  ends('withdrawn')
end
local besides = 0
for _, name in ipairs(redis.call('HKEYS', call)) do
  if string.sub(name, 1, {len(COST_PREFIX)}) == '{COST_PREFIX}' then
    besides = besides + tonumber(redis.call('HGET', call, name))
  end
end
refresh()
return {{'ok', besides}}
"""

# ARGV: ttl_s, reason ("" for none any more).
NOTE_VERDICT = f"""{PREAMBLE}
if ARGV[2] ~= '' then
  create()
  redis.call('HSET', call, 'verdict', ARGV[2])
else
  redis.call('HDEL', call, 'verdict')
end
refresh()
return {{'ok', 0}}
"""

# ARGV: ttl_s, epoch, reason.
END_CALL = f"""{PREAMBLE}{FENCE}
own(epoch)
complete(ARGV[3])
refresh()
return {{'ok', 0}}
"""

# ARGV: ttl_s, reason.
MARK_COMPLETED = f"""{PREAMBLE}
create()
complete(ARGV[2])
refresh()
return {{'ok', 0}}
"""

# KEYS[4] is the call's errand, which begins anew when the call is over again. ARGV: ttl_s, reason.
REOPEN = f"""{PREAMBLE}
if completed() and redis.call('HGET', call, 'ended_reason') == ARGV[2] then
  redis.call('DEL', extra)
  redis.call('HSET', call, 'status', 'in-progress', 'ended_reason', '')
end
return {{'ok', 0}}
"""

# KEYS[4] is the counter. ARGV: ttl_s, window_s.
COUNT_RESUME = f"""{PREAMBLE}
local count = redis.call('INCR', extra)
if count == 1 then redis.call('EXPIRE', extra, ARGV[2]) end
return {{'ok', count}}
"""

# KEYS: the call. ARGV: its account.
REMEMBER_ACCOUNT = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'account', ARGV[1]) end
return {}
"""

# KEYS: one agent's day. ARGV: ttl_s, call, caller ("" if unknown), spent, ahead, the caps of a
# caller and of the day (0 for none), how. `KnownBudgets` in agent/store/budgets.py does the same.
BOOK = """
local day, call, caller = KEYS[1], 'call:' .. ARGV[2], 'caller:' .. ARGV[3]
local spent, ahead = tonumber(ARGV[4]), tonumber(ARGV[5])
local caller_cap, cap, how = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local known = ARGV[3] ~= ''
local function booked(field) return tonumber(redis.call('HGET', day, field) or '0') end
local function whole(amount) return string.format('%d', amount) end

local before, total, theirs = booked(call), booked('all'), booked(caller)
if how == 'begin' and redis.call('HEXISTS', day, call) == 1 then
  return {'', whole(total), whole(theirs)}
end
local more, refused = spent + ahead - before, ''
if how ~= 'end' and more > 0 then
  if cap > 0 and total + more > cap then refused = 'day'
  elseif known and caller_cap > 0 and theirs + more > caller_cap then refused = 'caller' end
end
if how == 'ask' or (refused ~= '' and how == 'begin') then
  return {refused, whole(total), whole(theirs)}
end
local amount
if how == 'end' then amount = spent
elseif refused ~= '' then amount = math.max(before, spent)
else amount = math.max(before, spent + ahead) end
redis.call('HSET', day, call, whole(amount))
total = redis.call('HINCRBY', day, 'all', whole(amount - before))
if known then theirs = redis.call('HINCRBY', day, caller, whole(amount - before)) end
redis.call('EXPIRE', day, ARGV[1])
return {refused, whole(total), whole(theirs)}
"""
