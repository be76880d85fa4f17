-- Exact integers, and the arguments of an operation.
--
-- A number of Lua is a double: above 2^53 it is not what was written. An amount is therefore a pair {high, low} that
-- stands for high * 10^10 + low, with low from 0 to 10^10 - 1. Both are far below 2^53, also in sums of sums, so that
-- every step is exact. What comes in and goes out is decimal text.
--
-- Times are in microseconds, below 2^53 until the year 2255, and are plain numbers.

local call, format, find = redis.call, string.format, string.find

-- The prefix of all keys of the tenant. Only this one is declared. The others begin with it, and the braces around the
-- tenant make Redis Cluster put them into the same slot, which is the one that a cluster looks at when it routes.
local T = KEYS[1]

-- What was read is not what this script would have written. Nothing was written yet: writes come last (state.lua).
local function corrupt(what)
  error({ err = 'RGCORRUPT ' .. what })
end

local BASE = 10000000000
local ZERO = { 0, 0 }
local ONE = { 0, 1 }
local MAX = { 922337203, 6854775807 }
local MIN = { -922337204, 3145224192 }

local function pair(high, low)
  if low >= BASE then return { high + 1, low - BASE } end
  if low < 0 then return { high - 1, low + BASE } end
  return { high, low }
end

local function exact(text, what)
  -- Most amounts: as a number they are still what was written, and so is the quotient.
  if text and #text <= 15 and find(text, '^%d+$') then
    local number = tonumber(text)
    if number < BASE then return { 0, number } end
    local high = math.floor(number / BASE)
    return { high, number - high * BASE }
  end
  local sign, digits = string.match(text or '', '^(%-?)(%d+)$')
  if not digits or #digits > 20 then corrupt(what) end
  local high = tonumber(string.sub(digits, 1, -11)) or 0
  local low = tonumber(string.sub(digits, -10))
  -- 0 - x and not -x: a negative zero would be printed with its sign
  if sign == '-' then return pair(0 - high, 0 - low) end
  return { high, low }
end

local function text_of(amount)
  local high, low, sign = amount[1], amount[2], ''
  if high < 0 then
    local positive = pair(0 - high, 0 - low)
    high, low, sign = positive[1], positive[2], '-'
  end
  if high ~= 0 then return format('%s%d%010d', sign, high, low) end
  if sign == '' then return format('%d', low) end
  return format('-%d', low)
end

local function add(one, other) return pair(one[1] + other[1], one[2] + other[2]) end

local function subtract(one, other) return pair(one[1] - other[1], one[2] - other[2]) end

local function less(one, other)
  if one[1] ~= other[1] then return one[1] < other[1] end
  return one[2] < other[2]
end

local function is_zero(amount) return amount[1] == 0 and amount[2] == 0 end

-- Whether 64 bits hold it.
local function fits(amount) return not less(amount, MIN) and not less(MAX, amount) end

local function clamped(amount)
  if less(amount, MIN) then return MIN end
  if less(MAX, amount) then return MAX end
  return amount
end

-- A time or a count that was stored.
local function whole(text, what)
  if not text or #text > 16 or not find(text, '^%d+$') then corrupt(what) end
  return tonumber(text)
end

local function printed(number) return format('%d', number) end

-- Arguments, one after the other.
local taken = 0

local function take()
  taken = taken + 1
  return ARGV[taken]
end

local function take_number() return tonumber(take()) end

local function take_exact() return exact(take(), 'argument') end

-- The time of the operation. `-` means this server's clock, which is one for all gateways.
local function take_time()
  local given = take()
  if given ~= '-' then return tonumber(given) end
  local time = call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
