-- A thousand new points a request, of BENCH_KEYS different keys.
dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local pieces = {}

function init()
    start_numbers()
    keys = tonumber(os.getenv("BENCH_KEYS"))
end

function request()
    local n = next_number()
    for i = 0, 999 do
        pieces[i + 1] = string.format('{"key":"k%d","value":%d.5,"timestamp":%d,"step":%d}',
            i % keys, i, 1700000000000 + n, n * 1000 + math.floor(i / keys))
    end
    return post("runs/log-batch", string.format('{"run_id":"%s","metrics":[%s]}', some_run(n), table.concat(pieces, ",", 1, 1000)))
end
