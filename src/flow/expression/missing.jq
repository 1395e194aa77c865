# What jq 1.7 has and jaq has not, or not in the same way.

# Values
def toarray: if type == "array" then . else [.] end;
def have_literal_numbers: true;
def have_decnum: false;

# Text. What is no text has nothing to trim.
def ltrimstr($x): if type == "string" and ($x | type) == "string" and startswith($x) then .[($x | length):] end;
def rtrimstr($x): if type == "string" and ($x | type) == "string" and endswith($x) then .[:length - ($x | length)] end;
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def ascii: [.] | implode;
def join($sep):
  reduce .[] as $x (null;
    (if . == null then "" else . + $sep end) +
    ($x | if . == null then "" else tostring end)
  ) // "";

# Collections
def pick(f): . as $top | reduce path(f) as $path (null; setpath($path; $top | getpath($path)));
def _delpath($path):
  if $path == [] then null else
    . as $dot |
    (try getpath($path[:-1]) catch null) as $parent |
    if $parent == null then .
    elif ($parent | type) == ($path[-1] | if type == "string" then "object" else "array" end)
    then try (getpath($path) |= empty) catch $dot
    else error("cannot delete \($path[-1] | tojson) of \($parent | type)") end
  end;
def delpaths($paths): reduce ($paths | sort | reverse | .[]) as $path (.; _delpath($path));
def del(f): delpaths([path(f)]);
def walk(f): def down: (if type == "object" then map_values(down) elif type == "array" then map(down) end) | f; down;
def from_entries:
  reduce .[] as $x ({}; . + {
    ($x | if .key == null then .k // .name // .Name // .K // .Key else .key end | if type == "string" then . else tojson end):
    ($x | if has("value") then .value elif has("v") then .v else .Value end)
  });
def with_entries(f): to_entries | map(f) | from_entries;
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(s; f): reduce s as $row ({}; . + {($row | f | tostring): $row});
def INDEX(f): INDEX(.[]; f);
def leaf_paths: paths(scalars);

# Streams
def tostream:
  path(def r: (.[]? | r), .; r) as $p |
  getpath($p) |
  reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(f):
  { x: null, e: false } as $init |
  foreach f as $i ($init;
    (if .e then $init end) |
    if $i | length == 2
    then { e: ($i[0] | length == 0), x: (.x | setpath($i[0]; $i[1])) }
    else { e: ($i[0] | length == 1), x: .x } end;
    if .e then .x else empty end
  );
def truncate_stream(s): . as $n | s | if .[0] | length > $n then [.[0][$n:]] + .[1:] else empty end;

# Dates
def date: todate;
def dateadd(unit; n): . + n;
def datesub(unit; n): . - n;

# Formats
def @csv:
  if type != "array" then error("only a list can be written as CSV") else
    map(
      if type == "string" then "\"" + (split("\"") | join("\"\"")) + "\""
      elif . == null then ""
      elif type == "number" or type == "boolean" then tojson
      else error("a list or a map cannot be a field of CSV") end
    ) | join(",")
  end;
def @tsv:
  def escaped: reduce (["\\", "\\\\"], ["\t", "\\t"], ["\n", "\\n"], ["\r", "\\r"]) as [$from, $to] (.; split($from) | join($to));
  if type != "array" then error("only a list can be written as TSV") else
    map(
      if type == "string" then escaped
      elif . == null then ""
      elif type == "number" or type == "boolean" then tojson
      else error("a list or a map cannot be a field of TSV") end
    ) | join("\t")
  end;
def @text: tostring;
def @html: tostring | split("&") | join("&amp;") | split("<") | join("&lt;") | split(">") | join("&gt;") | split("'") | join("&#39;") | split("\"") | join("&quot;");
def @base32: tostring | encode_base32;
def @base32d: tostring | decode_base32;
def format($name):
  if   $name == "text"    then @text
  elif $name == "json"    then @json
  elif $name == "html"    then @html
  elif $name == "uri"     then @uri
  elif $name == "csv"     then @csv
  elif $name == "tsv"     then @tsv
  elif $name == "sh"      then @sh
  elif $name == "base64"  then @base64
  elif $name == "base64d" then @base64d
  elif $name == "base32"  then @base32
  elif $name == "base32d" then @base32d
  else error("no format `\($name)`") end;

# Operators: what they are called where an expression uses them. jaq updates in place, as long as nothing else holds the value; what it
# cannot update is what is not there yet, and what it knows no update of.
def _is_there(paths):
  . as $dot | all(path(paths); . as $path |
    $path == [] or ($dot | getpath($path[:-1]) |
      if type == "null" then false
      elif type == "array" and ($path[-1] | type) == "number" then $path[-1] < length
      else true end));
def _assign_new(paths; f): f as $x | reduce path(paths) as $path (.; setpath($path; $x));
def _update_new(paths; f):
  reduce path(paths) as $path (.;
    [getpath($path) | first(f)] as $new |
    if $new == [] then _delpath($path) else setpath($path; $new[0]) end);
def _assign(paths; f): if _is_there(paths) then paths = f else _assign_new(paths; f) end;
def _update(paths; f): if _is_there(paths) then paths |= f else _update_new(paths; f) end;
def _divisor: if type == "number" and . == 0 then error("cannot divide by zero") end;
def _whole: if type != "number" or isinfinite or isnan then . elif . < 0 then ceil else floor end;
