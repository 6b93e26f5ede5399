{{/* What a schema cannot say, told before anything is installed. */}}
{{- define "igpipe.checks" -}}
{{- $config := include "igpipe.config" . | fromYaml -}}
{{- if eq $config.cluster.namespace .Release.Namespace -}}
{{- fail "config.cluster.namespace: is igpipe's own; privileged Pods need a namespace of their own" -}}
{{- end -}}
{{- $duration := include "igpipe.seconds" $config.session.duration | float64 -}}
{{- $period := include "igpipe.seconds" $config.rotation.period | float64 -}}
{{- if ge $duration $period -}}
{{- fail "config.session.duration: must be shorter than config.rotation.period" -}}
{{- end -}}
{{- $hold := include "igpipe.seconds" $config.metrics.zero_hold | float64 -}}
{{- $interval := include "igpipe.seconds" .Values.serviceMonitor.interval | float64 -}}
{{- if and .Values.serviceMonitor.enabled (lt $hold (mulf 2 $interval)) -}}
{{- printf "config.metrics.zero_hold: must be two of serviceMonitor.interval at least, got %s for %s; rates would lose what new series begin with" (toString $config.metrics.zero_hold) .Values.serviceMonitor.interval | fail -}}
{{- end -}}
{{- $rule := .Values.prometheusRule -}}
{{- if and $rule.enabled (not $rule.groups) -}}
{{- $defaults := .Files.Get "files/defaults.yaml" | fromYaml -}}
{{- range list "rotation.period" "rotation.reap_interval" "spool.max_age" -}}
{{- $keys := splitList "." . -}}
{{- $wanted := get (get $config (first $keys)) (last $keys) -}}
{{- $default := get (get $defaults (first $keys)) (last $keys) -}}
{{- if ne (include "igpipe.seconds" $wanted) (include "igpipe.seconds" $default) -}}
{{- printf "prometheusRule.groups: the chart's rules are for config.%s %s, got %s; give it what `igpipe rules` prints for your configuration" . $default (toString $wanted) | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.policy.enabled (semverCompare "<1.31.0-0" .Capabilities.KubeVersion.Version) -}}
{{- printf "policy.enabled: needs Kubernetes 1.31, got %s; switch it off and use another engine" .Capabilities.KubeVersion.Version | fail -}}
{{- end -}}
{{- end }}
