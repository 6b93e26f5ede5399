{{/* The name of what belongs to the release. */}}
{{- define "igpipe.fullname" -}}
{{- $own := ternary .Release.Name (printf "%s-igpipe" .Release.Name) (contains "igpipe" .Release.Name) -}}
{{- .Values.fullnameOverride | default $own | trunc 53 | trimSuffix "-" -}}
{{- end }}

{{/* The account that igpipe asks the API server as. */}}
{{- define "igpipe.account" -}}
{{- .Values.serviceAccount.name | default (include "igpipe.fullname" .) -}}
{{- end }}

{{- define "igpipe.selector" -}}
app.kubernetes.io/name: igpipe
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "igpipe.labels" -}}
{{ include "igpipe.selector" . }}
app.kubernetes.io/part-of: igpipe
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The whole configuration: the defaults, and what the values change. */}}
{{- define "igpipe.config" -}}
{{- $defaults := .Files.Get "files/defaults.yaml" | fromYaml -}}
{{- mergeOverwrite $defaults (deepCopy .Values.config) | toYaml -}}
{{- end }}

{{/* The sessions' namespace. */}}
{{- define "igpipe.sessions" -}}
{{- (include "igpipe.config" . | fromYaml).cluster.namespace -}}
{{- end }}

{{/* A port; one that is to be found free is of no use in a Pod. */}}
{{- define "igpipe.port" -}}
{{- (include "igpipe.config" . | fromYaml).web.port | int | default 9469 -}}
{{- end }}

{{/* Seconds of `90`, `90s` or `1h30m`. */}}
{{- define "igpipe.seconds" -}}
{{- $text := toString . -}}
{{- $sizes := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 -}}
{{- $total := 0.0 -}}
{{- range regexFindAll "[0-9.]+(ms|s|m|h|d)" $text -1 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $total = addf $total (mulf (trimSuffix $unit . | float64) (get $sizes $unit)) -}}
{{- end -}}
{{- regexMatch "^[0-9.]+$" $text | ternary $text $total -}}
{{- end }}

{{/* What igpipe reads inside the cluster. */}}
{{- define "igpipe.file" -}}
{{- $state := "/var/lib/igpipe" -}}
{{- $config := deepCopy .Values.config -}}
{{- $web := $config.web | default (dict) -}}
{{- $loopback := list "127.0.0.1" "localhost" "::1" -}}
{{- $host := has ($web.host | default "localhost") $loopback | ternary "" $web.host -}}
{{- /* Not merged: merge takes an empty text for none. */ -}}
{{- $_ := set $web "host" $host -}}
{{- $_ := set $web "port" (include "igpipe.port" . | int) -}}
{{- $_ := set $config "web" $web -}}
{{- with $config.cluster }}{{ $_ := set $config "cluster" (omit . "kubeconfig" "context") }}{{ end -}}
{{- $kept := dict "metrics" (dict "state_file" (printf "%s/state.json" $state)) -}}
{{- if .Values.persistence.enabled -}}
{{- range $section, $folder := dict "spool" "spool" "dead_letters" "dead-letters" "ledger" "ledger" -}}
{{- $_ := set $kept $section (dict "directory" (printf "%s/%s" $state $folder)) -}}
{{- end -}}
{{- end -}}
{{- merge $config $kept | toYaml -}}
{{- end }}

{{- define "igpipe.image" -}}
{{- with .Values.image -}}
{{- .repository }}{{ empty .digest | ternary (printf ":%s" (.tag | default $.Chart.AppVersion)) (printf "@%s" .digest) -}}
{{- end -}}
{{- end }}
