# What jq 1.7 has and jaq has not, or not in the same way.

# Values
def toarray: if type == "array" then . else [.] end;
def have_literal_numbers: true;
def have_decnum: false;

# Text
def ascii: [.] | implode;

# Collections
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
