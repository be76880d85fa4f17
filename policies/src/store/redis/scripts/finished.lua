-- How requests ended. They are filed by the day of the id, in hashes small enough for Redis to store them compactly
-- (about 30 bytes for each id, a fifth of what a key of its own takes). A hash that is full sends those that come later
-- to one of sixteen below it, by another digit of the id: so the few ids of a small tenant share one hash, and the many
-- of a large one need no setting.

-- Below hash-max-listpack-entries (512 unless changed), so that the storage stays compact.
local FINISHED_IN_HASH = 256
-- `FINISHED_DAYS`, and one because the days of the first and of the last id in a hash differ by one.
local FINISHED_SECONDS = 41 * 86400
local FINISHED_LEVELS = 12

-- How the request ended, if it did, the hash in which that stands or would stand, and whether that hash is a new one.
local function finished(id, hex)
  local day = math.floor(tonumber(string.sub(hex, 1, 12), 16) / 86400000)
  local key = T .. ':f:' .. printed(day)
  for level = 1, FINISHED_LEVELS do
    local code = call('HGET', key, id)
    if code then
      if not find(code, '^%d+$') and not find(code, '^%l%l$') then corrupt('finished ' .. hex) end
      return code, key, false
    end
    local length = call('HLEN', key)
    if level == FINISHED_LEVELS or length < FINISHED_IN_HASH then return false, key, length == 0 end
    key = key .. (level == 1 and ':' or '') .. string.sub(hex, -level, -level)
  end
end

local function finish(key, id, code, is_new)
  later('HSET', key, id, code)
  if is_new then later('EXPIRE', key, FINISHED_SECONDS) end
end
