# Varnish in front of Datasette with datasette-tagfeeds. Needs Varnish 7 and its module xkey (Debian: varnish, varnish-modules).
#
#     varnishd -a :80 -f /etc/varnish/varnish.vcl -s malloc,1g
#
# Yours to change: where Datasette listens, and who may purge. In metadata.yml: purge_header: xkey

vcl 4.1;

import std;
import xkey;

backend default {
    .host = "127.0.0.1";
    .port = "8001";
    .connect_timeout = 2s;
    # The list of all tags may take so long on a large file without an index.
    .first_byte_timeout = 35s;
}

acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        call purging;
    }
    if (req.restarts == 0) {
        unset req.http.X-Take-Stale;
        # For so long after its time an answer is sent at once while it is fetched again: our stale-while-revalidate.
        set req.grace = 1h;
    } else if (req.http.X-Take-Stale) {
        # The server has just failed: our stale-if-error.
        set req.grace = 24h;
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Answers to somebody are nobody else's. A cookie that Datasette knows nothing of, such as one for statistics, may be taken out here
    # before this line, so that its owners are answered from the cache too.
    if (req.http.Cookie || req.http.Authorization || req.url ~ "[?&]token=") {
        return (pass);
    }
    return (hash);
}

# PURGE with the header `xkey: key key`: forgets all that has one of the keys. Without it: forgets the address that it names.
# With `X-Purge: soft` the answers with the keys are only taken for old: the next reader gets what is there, and it is fetched anew.
sub purging {
    # A comma: it came through another proxy, whose address is not who asks.
    if (client.ip !~ purgers || req.http.X-Forwarded-For ~ ",") {
        return (synth(403, "Not from here"));
    }
    if (!req.http.xkey) {
        return (purge);
    }
    if (req.http.X-Purge == "soft") {
        set req.http.X-Purged = xkey.softpurge(req.http.xkey);
    } else {
        set req.http.X-Purged = xkey.purge(req.http.xkey);
    }
    return (synth(200, "Purged " + req.http.X-Purged));
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (beresp.status >= 500) {
        # A failure never takes the place of an answer that can still serve. Varnish says If-None-Match where it has one.
        if (bereq.is_bgfetch || bereq.http.If-None-Match) {
            return (abandon);
        }
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    # Varnish would keep for two minutes what says nothing of its age, such as Datasette's own pages.
    if (!beresp.http.Cache-Control && !beresp.http.Expires) {
        set beresp.uncacheable = true;
        set beresp.ttl = 2m;
        return (deliver);
    }
    if (beresp.http.Cache-Control ~ "stale-if-error=\d+") {
        set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, "^.*stale-if-error=(\d+).*$", "\1s"), 24h);
    }
    # What private, no-store, Set-Cookie and Vary ask for, Varnish does by itself.
}

sub vcl_backend_error {
    if (bereq.is_bgfetch || (bereq.http.If-None-Match && !bereq.uncacheable)) {
        return (abandon);
    }
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "5";
    set beresp.body = "The server does not answer just now. Try again later." + {"
"};
    return (deliver);
}

sub vcl_synth {
    # The fetch was abandoned since there is an old answer: send that.
    if (resp.status == 503 && req.restarts == 0 && (req.method == "GET" || req.method == "HEAD")) {
        set req.http.X-Take-Stale = "1";
        return (restart);
    }
    if (req.method == "PURGE") {
        set resp.http.Content-Type = "text/plain; charset=utf-8";
        set resp.body = resp.reason + {"
"};
        return (deliver);
    }
}

sub vcl_deliver {
    if (obj.uncacheable) {
        set resp.http.X-Cache = "PASS";
    } else if (obj.hits == 0) {
        set resp.http.X-Cache = "MISS";
    } else if (obj.ttl < 0s) {
        set resp.http.X-Cache = "STALE";
    } else {
        set resp.http.X-Cache = "HIT";
    }
    # The keys are between Datasette and Varnish.
    unset resp.http.xkey;
}
