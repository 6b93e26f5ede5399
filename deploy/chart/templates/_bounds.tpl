{{/*
What the configuration allows, as variables of the policy for session Pods: igpipe/deploy/bounds.py
in Helm's words. Tests hold the two equal.
*/}}

{{/* A list of texts as CEL. */}}
{{- define "igpipe.cel.list" -}}
{{- $items := list -}}
{{- range . }}{{- $items = append $items (toRawJson .) }}{{ end -}}
[{{ join ", " $items }}]
{{- end }}

{{/* A list of lists of texts as CEL. */}}
{{- define "igpipe.cel.lists" -}}
{{- $items := list -}}
{{- range . }}{{- $items = append $items (include "igpipe.cel.list" .) }}{{ end -}}
[{{ join ", " $items }}]
{{- end }}

{{/* The CEL text of the expression that matches one of some expressions, and no more. */}}
{{- define "igpipe.cel.oneOf" -}}
{{- uniq . | join "|" | printf "^(%s)$" | toRawJson -}}
{{- end }}

{{/* The expression of a shell pattern. */}}
{{- define "igpipe.cel.glob" -}}
{{- range regexFindAll "\\[!?[^]]+\\]|." . -1 -}}
{{- if eq . "*" }}.*{{ else if eq . "?" }}.{{ else if gt (len .) 1 }}{{ regexReplaceAll "^\\[!" . "[^" }}{{ else }}{{ regexQuoteMeta . }}{{ end -}}
{{- end -}}
{{- end }}

{{/* The users who may create session Pods. */}}
{{- define "igpipe.creators" -}}
{{- $account := printf "system:serviceaccount:%s:%s" .Release.Namespace (include "igpipe.account" .) -}}
{{- prepend .Values.policy.allowUsers $account | toJson -}}
{{- end }}

{{/* The longest life of a session's Pod, of one that was asked for, too. */}}
{{- define "igpipe.deadline" -}}
{{- $config := include "igpipe.config" . | fromYaml -}}
{{- $session := $config.session -}}
{{- $longest := (.Files.Get "files/shapes.yaml" | fromYaml).longest | int -}}
{{- $more := addf (include "igpipe.seconds" $session.start_allowance) (include "igpipe.seconds" $session.drain) -}}
{{- range $config.looks.enabled | ternary (list $session.duration $config.looks.max_duration) (list $session.duration) -}}
{{- $timeout := include "igpipe.seconds" . | float64 | ceil -}}
{{- $longest = addf $timeout $more | ceil | int | max $longest -}}
{{- end -}}
{{- .Values.policy.deadline | int | default $longest -}}
{{- end }}

{{/* Expressions of ig's image, as a JSON list. */}}
{{- define "igpipe.images" -}}
{{- $expressions := list -}}
{{- $config := include "igpipe.config" . | fromYaml -}}
{{- $images := list $config.session.image $config.rollout.previous_image | compact -}}
{{- range concat $images .Values.policy.allowImages -}}
{{- $exact := trimSuffix "*" . | regexQuoteMeta -}}
{{- $expressions = append $expressions (hasSuffix "*" . | ternary (printf "%s.*" $exact) $exact) -}}
{{- end -}}
{{- $expressions | toJson -}}
{{- end }}

{{/* The configured gadgets as mappings, as a JSON list. */}}
{{- define "igpipe.gadgets" -}}
{{- $gadgets := list -}}
{{- range (include "igpipe.config" . | fromYaml).gadgets -}}
{{- $gadgets = append $gadgets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- $gadgets | toJson -}}
{{- end }}

{{/* Names of gadgets allowed besides the configured ones, as a JSON list. */}}
{{- define "igpipe.moreGadgets" -}}
{{- $looks := (include "igpipe.config" . | fromYaml).looks -}}
{{- $known := (.Files.Get "files/shapes.yaml" | fromYaml).known -}}
{{- $configured := list -}}
{{- range include "igpipe.gadgets" . | fromJsonArray }}{{ $configured = append $configured .name }}{{ end -}}
{{- $more := list -}}
{{- if $looks.enabled -}}
{{- range has "*" $looks.gadgets | ternary $known $looks.gadgets -}}
{{- if not (has . $configured) }}{{ $more = append $more . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- concat $more .Values.policy.allowGadgets | toJson -}}
{{- end }}

{{/* Expressions of gadget images, as a JSON list. */}}
{{- define "igpipe.gadgetImages" -}}
{{- $config := include "igpipe.config" . | fromYaml -}}
{{- $session := $config.session -}}
{{- $names := list -}}
{{- $images := list -}}
{{- range include "igpipe.gadgets" . | fromJsonArray -}}
{{- if .image }}{{ $images = append $images (regexQuoteMeta .image) }}{{ else }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- $before := $config.rollout.previous_gadget_images | default dict -}}
{{- range $name := keys $before | sortAlpha -}}
{{- $image := get $before $name -}}
{{- if $image }}{{ $images = append $images (regexQuoteMeta $image) }}{{ else }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{- range include "igpipe.moreGadgets" . | fromJsonArray -}}
{{- $names = append $names (eq . "*" | ternary "[a-z0-9_]+" (regexQuoteMeta .)) -}}
{{- end -}}
{{- $expressions := list -}}
{{- range $tag := list $session.gadget_version $config.rollout.previous_gadget_version | compact -}}
{{- range $names -}}
{{- $expressions = append $expressions (printf "%s/%s:%s" (regexQuoteMeta $session.gadget_registry) . (regexQuoteMeta $tag)) -}}
{{- end -}}
{{- end -}}
{{- eq $session.generation "builtin" | ternary (list ".*") (concat $expressions $images) | toJson -}}
{{- end }}

{{/* Whether igpipe-tap runs ig. */}}
{{- define "igpipe.tapped" -}}
{{- $session := (include "igpipe.config" . | fromYaml).session -}}
{{- if and (ne $session.transport "logs") $session.tap_image }}yes{{ end -}}
{{- end }}

{{/* Whether the tap brings the gadget images with it. */}}
{{- define "igpipe.carried" -}}
{{- $session := (include "igpipe.config" . | fromYaml).session -}}
{{- if and (include "igpipe.tapped" .) (eq $session.gadget_store "tap") (eq $session.generation "image") }}yes{{ end -}}
{{- end }}

{{/* Commands of ig's containers, as a JSON list. */}}
{{- define "igpipe.commands" -}}
{{- $session := (include "igpipe.config" . | fromYaml).session -}}
{{- $commands := list -}}
{{- $tapped := include "igpipe.tapped" . -}}
{{- if $tapped }}{{ $commands = append $commands (list (.Files.Get "files/shapes.yaml" | fromYaml).tap.program) }}{{ end -}}
{{- if or (not $tapped) (eq $session.transport "auto") }}{{ $commands = append $commands (list "ig") }}{{ end -}}
{{- $commands | toJson -}}
{{- end }}

{{/* Expressions of what containers are told besides flags, as a JSON list. */}}
{{- define "igpipe.words" -}}
{{- $words := include "igpipe.igWords" . -}}
{{- $all := list -}}
{{- range include "igpipe.commands" . | fromJsonArray -}}
{{- $all = append $all (eq (first .) "ig" | ternary $words (printf "-- ig %s" $words)) -}}
{{- end -}}
{{- $all | toJson -}}
{{- end }}

{{- define "igpipe.igWords" -}}
{{- $config := include "igpipe.config" . | fromYaml -}}
{{- if eq $config.session.generation "image" -}}
run [^ ]+ -o json -v --timeout [0-9]{1,6}
{{- else -}}
{{- $allowed := include "igpipe.moreGadgets" . | fromJsonArray -}}
{{- range include "igpipe.gadgets" . | fromJsonArray }}{{- $allowed = append $allowed .name }}{{ end -}}
{{- $known := list -}}
{{- range (.Files.Get "files/shapes.yaml" | fromYaml).builtin -}}
{{- if or (has .name $allowed) (has "*" $allowed) }}{{ $known = append $known .words }}{{ end -}}
{{- end -}}
{{- printf "(%s) -o json( --timeout [0-9]{1,6})?" (join "|" $known) -}}
{{- end -}}
{{- end }}

{{/* Whether this ig can leave namespaces out: it can since 0.45. */}}
{{- define "igpipe.hides" -}}
{{- $session := (include "igpipe.config" . | fromYaml).session -}}
{{- $version := regexFind "^v?[0-9]+\\.[0-9]+" $session.gadget_version | trimPrefix "v" | default "999.0" -}}
{{- if and (eq $session.generation "image") (semverCompare ">=0.45" $version) }}yes{{ end -}}
{{- end }}

{{/* Expressions of flags: those with any value, hidden namespaces, then those of the configuration. */}}
{{- define "igpipe.flags" -}}
{{- $config := include "igpipe.config" . | fromYaml -}}
{{- $session := $config.session -}}
{{- $shapes := .Files.Get "files/shapes.yaml" | fromYaml -}}
{{- $hidden := list -}}
{{- range prepend $session.exclude_namespaces $config.cluster.namespace -}}
{{- $hidden = append $hidden (printf "!%s" (regexQuoteMeta .)) -}}
{{- end -}}
{{- $own := $shapes.ownParams -}}
{{- $tap := list -}}
{{- if include "igpipe.tapped" . -}}
{{- $tap = append $tap (printf "%s=[0-9]{1,6}s" $shapes.tap.deadline) -}}
{{- $own = append $own (trimPrefix "--" $shapes.tap.deadline) -}}
{{- if include "igpipe.carried" . -}}
{{- $tap = append $tap (regexQuoteMeta $shapes.tap.store) -}}
{{- $own = append $own (splitList "=" $shapes.tap.store | first | trimPrefix "--") -}}
{{- end -}}
{{- if $session.tap_filter -}}
{{- $names := prepend $session.exclude_namespaces $config.cluster.namespace | uniq | join "," -}}
{{- $tap = append $tap (printf "%s=%s" $shapes.tap.hidden (regexQuoteMeta $names)) -}}
{{- $own = append $own (trimPrefix "--" $shapes.tap.hidden) -}}
{{- end -}}
{{- end -}}
{{- $free := append (concat $tap $shapes.freeFlags) (printf "%s%s%s" $shapes.hidden (uniq $hidden | join ",") $shapes.hiddenMore) -}}
{{- $fixed := list -}}
{{- $image := eq $session.generation "image" -}}
{{- range include "igpipe.gadgets" . | fromJsonArray -}}
{{- if and $image (not $session.verify_image) }}{{ $fixed = append $fixed "--verify-image=false" }}{{ end -}}
{{- if and $image (or (eq $session.gadget_store "baked") (include "igpipe.carried" $)) }}{{ $fixed = append $fixed "--pull=never" }}{{ end -}}
{{- with $session.runtime_socket }}{{ $fixed = append $fixed (printf "--containerd-socketpath=%s" .) }}{{ end -}}
{{- range $key, $value := .params -}}
{{- if not (has $key $own) }}{{ $fixed = append $fixed (printf "--%s=%s" $key $value) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $exact := list -}}
{{- range $fixed }}{{- $exact = append $exact (regexQuoteMeta .) }}{{ end -}}
{{- concat $free (sortAlpha $exact | uniq) | toJson -}}
{{- end }}

{{/* All variables, by name. */}}
{{- define "igpipe.bounds" -}}
{{- $config := include "igpipe.config" . | fromYaml -}}
{{- $session := $config.session -}}
{{- $shapes := .Files.Get "files/shapes.yaml" | fromYaml -}}
{{- $globs := list -}}
{{- range $config.nodes.exclude }}{{- $globs = append $globs (include "igpipe.cel.glob" .) }}{{ end -}}
{{- $bounds := dict
  "creators" (include "igpipe.creators" . | fromJsonArray | include "igpipe.cel.list")
  "excluded" (include "igpipe.cel.oneOf" $globs)
  "deadline" (include "igpipe.deadline" .)
  "priority" (toRawJson $session.priority_class)
  "images" (include "igpipe.images" . | fromJsonArray | include "igpipe.cel.oneOf")
  "flags" (include "igpipe.flags" . | fromJsonArray | include "igpipe.cel.oneOf")
  "gadgets" (include "igpipe.gadgetImages" . | fromJsonArray | include "igpipe.cel.oneOf")
  "words" (include "igpipe.words" . | fromJsonArray | include "igpipe.cel.oneOf")
  "hidden" (include "igpipe.hides" . | empty | ternary "" $shapes.hidden | toRawJson)
  "commands" (include "igpipe.commands" . | fromJsonArray | include "igpipe.cel.lists")
  "tapImage" (toRawJson $session.tap_image)
  "pullPolicy" (toRawJson $session.image_pull_policy)
  "memory" (toRawJson $session.memory_limit)
  "storage" (toRawJson $session.ephemeral_storage_limit)
-}}
{{- $way := include "igpipe.tapped" . | empty | ternary "none" $session.tap_volume -}}
{{- $kind := printf "%s/%s/%s/%s" $session.profile $session.generation $session.gadget_store $way -}}
{{- range $name, $text := get $shapes.kinds $kind -}}
{{- range $key := $shapes.standIns -}}
{{- $value := get $session $key | toRawJson | trimPrefix "\"" | trimSuffix "\"" -}}
{{- $text = replace (printf "@%s@" $key) $value $text -}}
{{- end -}}
{{- $_ := set $bounds $name $text -}}
{{- end -}}
{{- $bounds | toYaml -}}
{{- end }}
