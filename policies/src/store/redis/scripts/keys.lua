-- Idempotency keys and execution locks. States: r runs, d was dispatched, a answered, n answered with a reply that was
-- not kept, u unknown.

local function record_of(hash)
  local row = call('HMGET', T .. ':k:' .. hash, 'o', 't', 'u', 'p', 'f')
  if not row[1] and not row[2] then return nil end
  local record = { holder = row[1], state = row[2], till = whole(row[3], 'key'), keep = 0, fingerprint = row[5] or '' }
  if not record.holder or #record.holder ~= 16 or not string.match(record.state or '', '^[rdanu]$') then corrupt('key') end
  if record.state == 'r' or record.state == 'd' then record.keep = whole(row[4], 'key') end
  return record
end

-- What is known of a key. What is over is as if it had never been: it is forgotten some time later.
local function live_record(hash, now)
  local record = record_of(hash)
  if record and record.till + record.keep > now then return record end
  return nil
end

local function set_record(hash, fingerprint, holder, state, till, keep, now, reply)
  local key = T .. ':k:' .. hash
  later('DEL', key)
  later('HSET', key, 'o', holder, 't', state, 'u', printed(till))
  if state == 'r' or state == 'd' then later('HSET', key, 'p', printed(keep)) end
  if fingerprint ~= '' then later('HSET', key, 'f', fingerprint) end
  if reply then later('HSET', key, 'b', reply) end
  later('PEXPIRE', key, kept_ms(till + keep, now))
end

-- What a key says to a request that comes with it: nothing (it is free), the request to take it over from, or an answer.
local function look(use, now)
  local record = live_record(use.hash, now)
  if not record then return nil, nil end
  local state, over = record.state, record.till <= now
  if use.fingerprint ~= '' and record.fingerprint ~= '' and use.fingerprint ~= record.fingerprint then
    return nil, { 'mismatch' }
  end
  if (state == 'r' or state == 'd') and not over then
    return nil, { 'in_progress', record.holder, printed(record.till - now) }
  end
  if state == 'r' then return record.holder, nil end
  if state == 'd' or state == 'u' then
    if use.on_unknown == 'a' then return nil, nil end
    return nil, { 'unknown', record.holder }
  end
  if state == 'n' then return nil, { 'replied', record.holder } end
  local reply = call('HGET', T .. ':k:' .. use.hash, 'b')
  if not reply then corrupt('key') end
  return nil, { 'replied', record.holder, reply }
end

local function take_key_use()
  local use = { hash = take(), fingerprint = take(), lease = take_number(), keep = take_number() }
  use.on_unknown = take()
  return use
end

local function end_keys(id, ends, now)
  for at = 1, #ends do
    local ending = ends[at]
    local record = live_record(ending.hash, now)
    if record and record.holder == id then
      if ending.state == 'f' then
        later('DEL', T .. ':k:' .. ending.hash)
      else
        set_record(ending.hash, record.fingerprint, id, ending.state, now + ending.keep, 0, now, ending.reply)
      end
    end
  end
end
