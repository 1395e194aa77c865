//! Requests, as far as a call can give them back: with its output, with its errors, or as `$authorization`.

use super::shade::Shade;
use super::value::expanded;
use super::walk::{Course, Moment};
use super::{Analysis, End};
use crate::flow::model::{Http, HttpOutput, OpenApi};
use crate::flow::uri::Address;

impl Analysis<'_> {
    /// A request lawfully has secrets; its answer has none. But a call can give back the request, too.
    pub(super) fn http(&mut self, http: &Http, moment: &mut Moment<'_>, course: &Course<'_>) -> Shade {
        let how = if http.connection { self.program.connection.authentication.as_deref() } else { http.authentication.as_deref() };
        let credentials = how.map_or_else(Shade::default, |how| {
            self.scene(moment, course, |analysis, scene| {
                analysis.credentials(how, &format!("{}/with/output", moment.pointer), &moment.input, scene)
            })
        });
        moment.authorization = self.secrets_of(&credentials.all());
        for (index, mapping) in http.policies.errors.iter().enumerate() {
            if let Some(detail) = &mapping.detail {
                let told = self.at(detail, &format!("with/errors/{index}/detail"), &Shade::default(), moment, course);
                self.reached(&told.all(), &End::Error(course.target.to_string()));
            }
        }
        let items = http.policies.paging.as_ref().and_then(|paging| paging.items.as_ref());
        let content = items.map_or_else(Shade::default, |items| {
            self.scene(moment, course, |analysis, scene| {
                analysis.expression(items, &format!("{}/with/paginate/items", moment.pointer), &Shade::default(), scene)
            })
        });
        if http.output != HttpOutput::Response {
            return content;
        }
        let mut request = credentials;
        for (part, key) in [(&http.headers, "headers"), (&http.query, "query")] {
            if let Some(part) = part {
                request = request.or(Some(&self.at(part, &format!("with/{key}"), &moment.input, moment, course).flat()));
            }
        }
        request = request.or(Some(&self.address(&http.address, http.connection, moment, course)));
        Shade::member("request", request).or(Some(&Shade::member("content", content)))
    }

    fn address(&mut self, address: &Address, is_path: bool, moment: &Moment<'_>, course: &Course<'_>) -> Shade {
        let key = if is_path { "with/path" } else { "with/endpoint" };
        match address {
            Address::Given(template) => self.at(template, key, &moment.input, moment, course).flat(),
            Address::Pattern(parts) => expanded(parts, &moment.input),
        }
    }

    pub(super) fn openapi(&mut self, call: &OpenApi, moment: &mut Moment<'_>, course: &Course<'_>) -> Shade {
        let credentials = call.authentication.as_deref().map_or_else(Shade::default, |how| {
            self.scene(moment, course, |analysis, scene| {
                analysis.credentials(how, &format!("{}/with/output", moment.pointer), &moment.input, scene)
            })
        });
        moment.authorization = self.secrets_of(&credentials.all());
        if call.output != HttpOutput::Response {
            return Shade::default();
        }
        let parameters = call.parameters.as_ref();
        let parameters = parameters.map(|parameters| self.at(parameters, "with/parameters", &moment.input, moment, course).flat());
        Shade::member("request", credentials.or(parameters.as_ref()))
    }
}
