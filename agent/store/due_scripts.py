"""The Lua scripts for what is due: the leases of all calls, their errands, and callers who wait.

Each is a sorted set of calls with a time. Whoever claims a call moves its time, in one step.
"""

# KEYS: the leases of all calls, by the time they end. ARGV: ttl_s, lease_ms, claim_ms (0 for no
# claim), most, number of calls held, those, the calls let go.
HOLD = """
local leases, lease_ms, claim_ms = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local most, held = ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local function until_ms(more_ms) return string.format('%d', now_ms + more_ms) end

for i = 6, 5 + held do redis.call('ZADD', leases, until_ms(lease_ms), ARGV[i]) end
for i = 6 + held, #ARGV do redis.call('ZREM', leases, ARGV[i]) end
local orphans = {}
if claim_ms > 0 then
  orphans = redis.call('ZRANGEBYSCORE', leases, '-inf', until_ms(0), 'LIMIT', 0, most)
  for _, call in ipairs(orphans) do redis.call('ZADD', leases, until_ms(claim_ms), call) end
end
redis.call('EXPIRE', leases, ARGV[1])
return {until_ms(claim_ms), orphans}
"""

# KEYS: as above. ARGV: call, until when it is claimed.
SETTLE = """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end
return {}
"""

NOW = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local function in_ms(more_ms) return string.format('%d', now_ms + more_ms) end
"""

# KEYS: the errands of all calls, by the time they are due. ARGV: ttl_s, call, delay_ms.
ADD_ERRAND = f"""{NOW}
redis.call('ZADD', KEYS[1], 'NX', in_ms(ARGV[3]), ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {{}}
"""

# KEYS: as above. ARGV: ttl_s, most, claim_ms.
CLAIM_ERRANDS = f"""{NOW}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', in_ms(0), 'LIMIT', 0, ARGV[2])
for _, call in ipairs(due) do redis.call('ZADD', KEYS[1], in_ms(ARGV[3]), call) end
if #due > 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {{in_ms(ARGV[3]), due}}
"""

# KEYS: as above. ARGV: ttl_s, call, until when it is claimed, delay_ms.
POSTPONE_ERRAND = f"""{NOW}
if redis.call('ZSCORE', KEYS[1], ARGV[2]) == ARGV[3] then
  redis.call('ZADD', KEYS[1], in_ms(ARGV[4]), ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return {{}}
"""

# KEYS: the call, its errand. ARGV: ttl_s.
BEGIN_ERRAND = f"""{NOW}
local call, errand = KEYS[1], KEYS[2]
local status = redis.call('HGET', call, 'status')
if not status then return {{'gone'}} end
if status ~= 'completed' then return {{'running'}} end
local step = redis.call('HGET', errand, 'step') or 'summary'
if step == 'done' then return {{step, 0, '0', '0'}} end
redis.call('HSETNX', errand, 'since_ms', in_ms(0))
local number = redis.call('HINCRBY', errand, 'attempts', 1)
redis.call('EXPIRE', errand, ARGV[1])
local since_ms = redis.call('HGET', errand, 'since_ms')
return {{step, number, since_ms, in_ms(-since_ms)}}
"""

# KEYS: the call's errand, its summary, the call. ARGV: ttl_s, step, summary ("" to keep what is
# there), what the summary cost ("" likewise).
ADVANCE_ERRAND = """
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'step', ARGV[2], 'attempts', 0)
redis.call('EXPIRE', KEYS[1], ARGV[1])
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[1]) end
if ARGV[4] ~= '' and redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('HSET', KEYS[3], 'summary_usd', ARGV[4])
end
return {}
"""
