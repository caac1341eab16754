-- Makes BENCH_COUNT runs like those of seed.py through the public API: runs/create, then log-batch with what it answered.
dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local waiting, created, filled, count, experiment = {}, 0, 0, 0, nil
local asked = false

function init()
    start_numbers()
    count = tonumber(os.getenv("BENCH_COUNT"))
    experiment = os.getenv("BENCH_EXPERIMENT")
end

-- The same numbers as `seed.values`.
local function value(n, salt)
    return ((n * 7919 + salt * 104729) % 1000003) / 1000003
end

function request()
    -- wrk asks for one request before it begins, only to look at it: it is never sent.
    if not asked then
        asked = true
        return wrk.format("GET", "/health")
    end
    local run = table.remove(waiting)
    if run then
        local n = run.number
        return post("runs/log-batch", string.format(
            '{"run_id":"%s","metrics":[{"key":"acc","value":%.9f,"timestamp":1,"step":1},' ..
            '{"key":"loss","value":%.9f,"timestamp":1,"step":1},{"key":"time","value":%.9f,"timestamp":1,"step":1}],' ..
            '"params":[{"key":"family","value":"f%d"},{"key":"depth","value":"%d"}]}',
            run.id, value(n, 1), value(n, 2), value(n, 3), n % 10, n % 7))
    end
    if created < count then
        local n = created
        created = created + 1
        return post("runs/create", string.format(
            '{"experiment_id":"%s","run_name":"run-%d","user_id":"bench","start_time":%d,"tags":[{"key":"team","value":"t%d"}]}',
            experiment, n, 1700000000000 + n, n % 5))
    end
    return wrk.format("GET", "/health")
end

function response(status, headers, body)
    local id = body:match('"run_id"%s*:%s*"(%x+)"')
    if id then
        waiting[#waiting + 1] = { id = id, number = tonumber(body:match('"run_name"%s*:%s*"run%-(%d+)"')) }
    elseif body:match("^%s*{%s*}%s*$") then
        filled = filled + 1
        -- wrk itself only ends with its time; whoever reads this line ends it.
        if filled == count then
            io.write("FILLED\n")
            io.flush()
        end
    end
end
