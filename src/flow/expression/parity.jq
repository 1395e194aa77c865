# What jq 1.7 defines otherwise than jaq. The rest is in natives/.

# Paths and changes
def del(f): delpaths([path(f)]);
def _assign(paths; f): f as $x | reduce path(paths) as $path (.; setpath($path; $x));
def _update(paths; f):
  reduce path(paths) as $path ([., []];
    [.[0] | getpath($path) | first(f)] as $new |
    if $new == [] then .[1] += [$path] else .[0] |= setpath($path; $new[0]) end) |
  .[1] as $gone | .[0] | delpaths($gone);
def pick(f): . as $top | reduce path(f) as $path (null; setpath($path; $top | getpath($path)));
def flatten($depth):
  if $depth < 0 then error("flatten depth must not be negative")
  else reduce .[] as $x ([]; if ($x | type) == "array" and $depth != 0 then . + ($x | flatten($depth - 1)) else . + [$x] end) end;
def flatten: flatten(1e9);
def transpose: [range([.[] | length] | max // 0) as $at | [.[][$at]]];
def nth($n; f): if $n < 0 then error("nth doesn't support negative indices") else first(skip($n; f)) end;

# Text
def tostring: "\(.)";
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def join($sep):
  reduce .[] as $x (null;
    (if . == null then "" else . + $sep end) +
    ($x | if type == "boolean" or type == "number" then tostring else . end)
  ) // "";
def sub($re; f; $flags): . as $text | matched_parts($re; $flags) | map(if type == "object" then [f] end) | woven($text);
def sub($re; f): sub($re; f; null);
def gsub($re; f; $flags): sub($re; f; "g" + $flags);
def gsub($re; f): sub($re; f; "g");

# Dates
def now: $__now__;
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def todate: todateiso8601;
def date: todateiso8601;

# Rows of tables
def JOIN($index; f): [.[] | [., $index[f]]];
def JOIN($index; rows; f): rows | [., $index[f]];
def JOIN($index; rows; f; joined): rows | [., $index[f]] | joined;

# Formats
def @json: tojson;
def @text: tostring;
def @base64: tostring | encode_base64;
def @sh:
  def quoted:
    if type == "string" then "'" + (split("'") | join("'\\''")) + "'"
    elif type == "array" or type == "object" then error("\(type) (\(tojson)) can not be escaped for shell")
    else tojson end;
  if type == "array" then map(quoted) | join(" ") else quoted end;
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
  else error("\($name) is not a valid format") end;
