-- The generic cell rate algorithm on whole microseconds (`RateStep`).

local arrivals = {}

local function arrival_of(name)
  local known = arrivals[name]
  if known then return known end
  local stored = call('GET', T .. ':r:' .. name)
  local arrival = stored and whole(stored, 'rate ' .. name) or 0
  arrivals[name] = arrival
  return arrival
end

local function set_arrival(name, arrival, now)
  arrivals[name] = arrival
  later('SET', T .. ':r:' .. name, printed(arrival), 'PX', kept_ms(arrival, now))
end

-- What arrival time counts now: never in the past, never more than two windows ahead.
local function resting(arrival, now, window) return math.min(math.max(arrival, now), now + 2 * window) end

-- The arrival time after a charge; or how long until it would pass, math.huge for never.
local function charge(arrival, now, rate)
  if rate.increment > rate.window then return nil, math.huge end
  local due = resting(arrival, now, rate.window) + rate.increment
  local latest = now + rate.window
  if due <= latest then return due, nil end
  return nil, due - latest
end

local function fix_rates(fixes, now)
  for at = 1, #fixes do
    local fix = fixes[at]
    local rested = resting(arrival_of(fix.name), now, fix.window)
    local arrival = resting(rested + fix.delta, now, fix.window)
    if arrival > now then
      set_arrival(fix.name, arrival, now)
    else
      later('DEL', T .. ':r:' .. fix.name)
    end
  end
end
